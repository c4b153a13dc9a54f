/**
 * The keys of the file that only the operator can read: {"keys": [{"id": "…", "secret": "32 bytes in base64url"}]}, the newest first. They seal the root keys in the
 * database (root-keys.ts). Made on the first start with mode 0600. A file that others can read, that is damaged or weak, or that is gone while the
 * database holds what was sealed with it, stops the start with a sentence that says what to do (CR-2).
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Random } from '../world.ts';
import type { SecretKey } from './keys.ts';

const SECRET_BYTES = 32;

const shape = z.object({
  keys: z.array(z.object({ id: z.string().regex(/^[\w.-]{1,64}$/), secret: z.string().regex(/^[\w-]{43}$/) })).min(1),
});

export function makeSecretKey(random: Random, id = `k${Buffer.from(random.bytes(6)).toString('hex')}`): SecretKey {
  return { id, secret: random.bytes(SECRET_BYTES) };
}

export const secretText = (secret: Uint8Array): string => Buffer.from(secret).toString('base64url');
export const secretFrom = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'));

/** Newest first. Throws an Error whose message is for the operator. */
export function readKeysFile(file: string): readonly SecretKey[] {
  // Windows has no such modes; there the folder's own rights have to do.
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new Error(`The keys file ${file} can be read or changed by others on this machine. Make it yours alone: chmod 600 '${file}'`);
  }
  const parsed = shape.safeParse(parseJson(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`The keys file ${file} is damaged. Restore it from a backup: what it sealed can't be read without it.`);
  const keys = parsed.data.keys.map(({ id, secret }) => ({ id, secret: secretFrom(secret) }));
  if (new Set(keys.map((key) => key.id)).size < keys.length) throw new Error(`The keys file ${file} has two keys of one id.`);
  if (keys.some(({ secret }) => new Set(secret).size < 8))
    throw new Error(`The keys file ${file} has a key that is not random. Take one from a backup, or start afresh.`);
  return keys;
}

/** Where several processes start at once, one makes the file and all read it. */
export function makeKeysFile(file: string, random: Random): void {
  // A link fails where the file is there.
  putFile(file, [makeSecretKey(random)], (unfinished) => {
    try {
      linkSync(unfinished, file);
    } catch (error) {
      if ((error as { code?: string }).code !== 'EEXIST') throw error;
    }
  });
}

/** It stays where it is, behind a link too, and whose it is: an operator who is root must not take it from the portal. */
export function replaceKeysFile(file: string, keys: readonly SecretKey[]): void {
  const place = realpathSync(file);
  const { uid, gid } = statSync(place);
  putFile(place, keys, (unfinished) => {
    chownSync(unfinished, uid, gid);
    renameSync(unfinished, place);
  });
}

/** Written whole beside it and then put in place, so that a reader never finds half of it; on the disk, name and all, before anything is sealed with it. */
function putFile(file: string, keys: readonly SecretKey[], put: (unfinished: string) => void): void {
  const unfinished = `${file}.${process.pid}.new`;
  const text = JSON.stringify({ keys: keys.map(({ id, secret }) => ({ id, secret: secretText(secret) })) }, null, 2);
  writeFileSync(unfinished, `${text}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    // The mode above is narrowed by the umask, never widened; this makes it exact.
    chmodSync(unfinished, 0o600);
    put(unfinished);
    syncFolder(path.dirname(file));
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function syncFolder(folder: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return;
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
