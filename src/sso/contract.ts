/**
 * What every way of asking an organisation's own identity provider is. A protocol is one folder and one line in registry.ts; it owns its settings, its
 * words, and the whole of what is checked before anything is believed. It knows no database, no accounts and no policy: values and the network go in, and
 * out comes who the provider says that somebody is, or why that is not believed. Whose account it is, and what else is asked for, is decided elsewhere.
 */
import type { z } from 'zod';
import type { Network } from '../platform/http/network.ts';
import type { Random } from '../platform/world.ts';

/** What a protocol's functions may use. */
export interface Tools {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly random: Random;
  readonly network: Network;
  readonly installationName: string;
}

/** Who somebody is by their provider's word, once all of it has been verified. */
export interface Identity {
  /** The provider's own name for them, which it gives to nobody else, ever: `sub`, NameID, entryUUID. What a link is kept by. */
  readonly subject: string;
  readonly email: string | null;
  /** The provider says itself that it verified the address. Whether that is believed is not decided here. */
  readonly emailVerified: boolean;
  /** '' where it gives none. */
  readonly name: string;
  readonly groups: readonly string[];
  /** How it says that they signed in, in its own words: `amr` values, `acr`, AuthnContextClassRef. */
  readonly methods: readonly string[];
  /** Epoch milliseconds; null where it does not say. */
  readonly authenticatedAt: number | null;
  /** Until when it lets a session last that is opened by its word, in epoch milliseconds; null where it does not say. */
  readonly sessionEndsAt: number | null;
  /** What it calls the session at its end: `sid`, SessionIndex. */
  readonly providerSession: string | null;
  /** What a sign-out has to show to it: an ID token; NameID and format. Kept sealed. */
  readonly logoutHint: string | null;
  /** Everything that came, as it came, for "Test connection". No token and no code among it. */
  readonly claims: Readonly<Record<string, unknown>>;
}

export type FailureReason =
  /** It can't be reached, is too slow, answers too much, or lies where the portal must not go. */
  | 'unreachable'
  /** The connection's settings, or the provider's, can't work. */
  | 'misconfigured'
  /** The provider answered that it does not let them in, or they gave up there. */
  | 'refused'
  /** What came is not what was asked for, is not signed, is stale, or is meant for somebody else. */
  | 'untrusted';

export interface Failure {
  readonly ok: false;
  readonly reason: FailureReason;
  /** One sentence for whoever looks after the connection. It holds no secret, no token and nothing that came unverified but in quotes and cut short. */
  readonly detail: string;
}

export interface SettingField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  /** `secret` is never shown again once stored; left empty, it stays what it is. */
  readonly kind: 'text' | 'address' | 'secret' | 'lines' | 'check' | 'choice';
  readonly choices?: readonly { readonly value: string; readonly label: string }[];
  /** What the form of a new connection shows. */
  readonly initial?: string | boolean | readonly string[];
  readonly required: boolean;
}

interface Protocol<Settings> {
  readonly kind: string;
  readonly words: { readonly name: string; readonly explanation: string };
  /** What is stored, sealed whole. A release must read what the last one wrote. Refusals of the shape are sentences for the field. */
  readonly settings: z.ZodType<Settings>;
  /** In the order of the form; the names are those of the settings. */
  readonly fields: readonly SettingField[];
  /** Whether the provider says anything about addresses that it verified. Where false, only the administrator can. */
  readonly saysVerified: boolean;
  /** What the protocol makes itself before settings are stored, such as keys. It may take its time: nothing waits for it but who saves them. */
  prepare?(tools: Pick<Tools, 'now' | 'random' | 'installationName'>, settings: Settings): Promise<Settings>;
}

/** The addresses of one connection at the portal, absolute. */
export interface OwnAddresses {
  /** Where the provider sends people back to: OpenID Connect's redirect_uri, SAML's assertion consumer service. One a connection (mix-up). */
  readonly callback: string;
  /** SAML's entity id, and where our metadata is. */
  readonly metadata: string;
  /** Where the provider sends sign-outs to. */
  readonly logout: string;
  /** Where somebody lands who signed out there. */
  readonly signedOut: string;
}

/** What came to an address of ours from the provider, by way of the browser. */
export interface Callback {
  readonly url: URL;
  /** The fields of a form that was posted; undefined for GET. */
  readonly form: Readonly<Record<string, string>> | undefined;
}

/** The browser goes to the provider and comes back. */
export interface RedirectProtocol<Settings = never, Pending = never> extends Protocol<Settings> {
  readonly way: 'redirect';
  /** What is remembered between leaving and coming back, stored sealed and used once. */
  readonly pending: z.ZodType<Pending>;
  /**
   * `state`: 256 random bits as text, new for each round trip; the provider gives it back (`state`, RelayState), and by it alone the round trip is found
   * again. `fresh`: the person shall show again who they are, even where the provider knows the browser. `email`: to fill in there.
   */
  begin(
    tools: Tools,
    input: { settings: Settings; addresses: OwnAddresses; state: string; fresh: boolean; email: string | undefined },
  ): Promise<{ readonly ok: true; readonly url: string; readonly pending: Pending } | Failure>;
  /** The state that came back, unverified, or undefined where there is none: to look the round trip up. */
  stateOf(callback: Callback): string | undefined;
  finish(
    tools: Tools,
    input: { settings: Settings; addresses: OwnAddresses; pending: Pending; callback: Callback; state: string },
  ): Promise<{ readonly ok: true; readonly identity: Identity } | Failure>;
  /** Where a browser goes to sign out at the provider too; undefined where it offers none. `hint`: the identity's logoutHint. */
  logoutUrl?(tools: Tools, input: { settings: Settings; addresses: OwnAddresses; hint: string; state: string }): Promise<string | undefined>;
  /** The provider's answer to a sign-out that began here, which is done already: nothing in it is read or believed, and the browser lands on our own page. */
  isSignOutAnswer?(callback: Callback): boolean;
  /** A sign-out that the provider asks for: whose, after everything in it was verified. `reply`: where the browser goes then, where one brought it. */
  readLogout?(
    tools: Tools,
    input: { settings: Settings; addresses: OwnAddresses; callback: Callback },
  ): Promise<
    | {
        readonly ok: true;
        readonly subject: string | undefined;
        /** What it calls those that are meant; empty: all of the person's. */
        readonly providerSessions: readonly string[];
        /** The message's own id, which may come once (`jti`), and until when it could come (epoch milliseconds). */
        readonly messageId: string;
        readonly expiresAt: number;
        readonly reply: string | undefined;
      }
    | Failure
  >;
  /** What the administrator gives to the provider: XML metadata for SAML. */
  ownMetadata?(input: { settings: Settings | undefined; addresses: OwnAddresses }): string;
}

/** The portal asks with the password that was typed. */
export interface PasswordProtocol<Settings = never> extends Protocol<Settings> {
  readonly way: 'password';
  check(tools: Tools, input: { settings: Settings; email: string; password: string }): Promise<PasswordAnswer>;
}

/**
 * `change-first`: the password is right, and the directory wants another one in its place before anything else. `detail`: what is behind it, such as an account that is
 * disabled, for whoever looks after the connection; to the person `wrong` is a wrong password, whatever is behind it.
 */
export type PasswordAnswer =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly reason: 'wrong'; readonly detail?: string }
  | { readonly ok: false; readonly reason: 'change-first'; readonly detail: string }
  | Failure;

/** Protocols whose shapes are their own business. */
export type AnyProtocol = RedirectProtocol<unknown, unknown> | PasswordProtocol<unknown>;
