/**
 * Sign-in by an organisation's own identity provider, as its first factor: by OpenID Connect, by SAML, by a directory. Connections belong to an
 * organisation; a domain that it has shown to be its own leads to one. A provider says who somebody is; whose account that is, is decided by the link that
 * was made once, by the provider's own name for them and never by an address alone. What is asked for besides is the Security Policy's.
 */
export type { Identity, FailureReason } from './contract.ts';
export { protocols } from './registry.ts';
