// Who is measured with: what of a seeded account its owner's browser and phone know. Made by seed.ts, used by load.ts.
export interface PersonOnFile {
  readonly email: string;
  readonly password: string;
  /** The secret in the phone's authenticator app, base32. */
  readonly secret: string;
  /** The browser's long-lived cookie. */
  readonly browserToken: string;
  /** As the proxy in front reports it: everybody has an address of their own. */
  readonly address: string;
}

/** Signed in. */
export interface Visitor extends PersonOnFile {
  readonly sessionToken: string;
  /** The cookie of the app at APP_HOST. */
  readonly appToken: string;
}

/** An app behind the portal, which all who are signed in may open. */
export const APP_HOST = 'wiki.example.org';

/** Has shown the password and is asked for the code. */
export interface HalfWay extends PersonOnFile {
  readonly attemptToken: string;
  readonly formToken: string;
}
