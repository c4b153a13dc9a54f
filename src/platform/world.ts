import type { Database } from './database/database.ts';
import type { Network } from './http/network.ts';
import type { Keys } from './secrets/keys.ts';
import type { PasswordHasher } from './secrets/password-hash.ts';

/**
 * Everything outside the program, handed in. The first argument of every use case; a plain object, no container.
 * Tests build the same type with a clock that they move, seeded randomness and a real database.
 */
export interface World {
  readonly installation: Installation;
  readonly clock: Clock;
  readonly random: Random;
  readonly database: Database;
  readonly keys: Keys;
  readonly passwordHasher: PasswordHasher;
  readonly network: Network;
  readonly log: Log;
}

/** What the operator configured and pages, mails and cookies need to know. */
export interface Installation {
  /** The name that pages, mails and authenticator apps show. */
  readonly name: string;
  /** Scheme, host and port without a trailing slash. Every absolute address is made from it, never from a request's Host. */
  readonly origin: string;
  /** True when `origin` is https: cookies are then `__Host-` and Secure. */
  readonly secure: boolean;
  /** Set by `serve --development` alone: shows mail at /dev/mail and allows http. */
  readonly development: boolean;
  /** Who may make an account: everybody, who came by an invitation's link, or besides those whoever has an address of a domain that an organisation lists. */
  readonly signUp: 'open' | 'invited' | 'domains';
}

export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
}

export interface Random {
  /** Cryptographically strong bytes. */
  bytes(count: number): Uint8Array;
  /** A uniform integer from 0 up to, but without, `below`. */
  integer(below: number): number;
}

export interface Log {
  info(event: string, details?: Record<string, unknown>): void;
  warn(event: string, details?: Record<string, unknown>): void;
  error(event: string, details?: Record<string, unknown>): void;
}
