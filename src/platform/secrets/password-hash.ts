/**
 * argon2id (RFC 9106) by Node's own crypto, in its thread pool, kept as PHC strings:
 *   $argon2id$v=19$m=19456,t=2,p=1,keyid=…$salt$hash
 * The pepper goes in as RFC 9106's secret value K; its key stands outside the database.
 */
import { argon2, timingSafeEqual } from 'node:crypto';
import type { Keys } from './keys.ts';
import type { Random } from '../world.ts';

export interface PasswordHasher {
  /** Makes a PHC string. The password is normalised (NFC) here and nowhere else. */
  hash(password: string): Promise<string>;
  /** `hashed` undefined, for an account that does not exist, takes as long as any other and says no. */
  verify(password: string, hashed: string | undefined): Promise<PasswordVerdict>;
}

export interface PasswordVerdict {
  readonly right: boolean;
  /** The parameters or the pepper have risen since: hash again, now that the password is at hand. */
  readonly outdated: boolean;
}

export interface Argon2Parameters {
  readonly memoryKibibytes: number;
  readonly passes: number;
  readonly lanes: number;
}

/** OWASP's and DESIGN's floor. Weaker parameters are refused at start. */
export const ARGON2_FLOOR: Argon2Parameters = { memoryKibibytes: 19_456, passes: 2, lanes: 1 };

const SALT_BYTES = 16;
const TAG_BYTES = 32;

export function makePasswordHasher(keys: Keys, random: Random, parameters: Argon2Parameters = ARGON2_FLOOR): PasswordHasher {
  const { memoryKibibytes, passes, lanes } = parameters;
  const dummySalt = random.bytes(SALT_BYTES);

  return {
    async hash(password) {
      const salt = random.bytes(SALT_BYTES);
      const { keyId, secret } = keys.pepper()!;
      const tag = await derive(password, { salt, secret, parameters });
      return `$argon2id$v=19$m=${memoryKibibytes},t=${passes},p=${lanes},keyid=${base64(Buffer.from(keyId))}$${base64(salt)}$${base64(tag)}`;
    },
    async verify(password, hashed) {
      const parsed = hashed === undefined ? undefined : parse(hashed);
      const pepper = keys.pepper(parsed?.keyId);
      if (!parsed || !pepper) {
        await derive(password, { salt: dummySalt, secret: keys.pepper()!.secret, parameters });
        return { right: false, outdated: false };
      }
      const tag = await derive(password, { salt: parsed.salt, secret: pepper.secret, parameters: parsed.parameters });
      const rises =
        parsed.parameters.memoryKibibytes !== memoryKibibytes ||
        parsed.parameters.passes !== passes ||
        parsed.parameters.lanes !== lanes ||
        parsed.keyId !== keys.pepper()!.keyId;
      return { right: tag.length === parsed.tag.length && timingSafeEqual(tag, parsed.tag), outdated: rises };
    },
  };
}

function derive(password: string, { salt, secret, parameters }: { salt: Uint8Array; secret: Uint8Array; parameters: Argon2Parameters }): Promise<Buffer> {
  const message = Buffer.from(password.normalize('NFC'));
  const { memoryKibibytes: memory, passes, lanes: parallelism } = parameters;
  return new Promise((resolve, reject) =>
    argon2('argon2id', { message, nonce: salt, parallelism, tagLength: TAG_BYTES, memory, passes, secret }, (error, tag) =>
      error ? reject(error) : resolve(tag),
    ),
  );
}

const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+),keyid=([\w+/-]+)\$([\w+/-]+)\$([\w+/-]+)$/;

function parse(hashed: string): { parameters: Argon2Parameters; keyId: string; salt: Buffer; tag: Buffer } | undefined {
  const found = PHC.exec(hashed);
  if (!found) return undefined;
  const [, memory, passes, lanes, keyId, salt, tag] = found as unknown as [string, string, string, string, string, string, string];
  return {
    parameters: { memoryKibibytes: Number(memory), passes: Number(passes), lanes: Number(lanes) },
    keyId: Buffer.from(keyId, 'base64').toString(),
    salt: Buffer.from(salt, 'base64'),
    tag: Buffer.from(tag, 'base64'),
  };
}

/** PHC strings carry base64 without padding. */
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replaceAll('=', '');
