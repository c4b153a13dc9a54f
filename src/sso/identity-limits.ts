/** How much of an Identity is taken from any provider. OpenID Connect Core 1.0, 2 and SAML 2.0 Core, 8.3.7 have 255 and 256 characters for somebody's name there. */
export const SUBJECT_CHARACTERS_MOST = 255;
export const EMAIL_CHARACTERS_MOST = 320;
export const NAME_CHARACTERS_MOST = 200;
export const GROUPS_MOST = 1000;
export const METHODS_MOST = 20;
/** Of a group, a method, a session there. */
export const WORD_CHARACTERS_MOST = 255;
