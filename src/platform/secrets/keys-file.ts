/**
 * The root keys, in a JSON file that only the operator can read: {"keys": [{"id": "…", "secret": "32 bytes in base64url"}]}, the newest first.
 * Made on the first start with mode 0600. A file that others can read, that is damaged or weak, or that is gone while the database holds
 * what was sealed with it, stops the start with a sentence that says what to do (CR-2).
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Random } from '../world.ts';
import type { RootKey } from './keys.ts';

const SECRET_BYTES = 32;

const shape = z.object({
  keys: z.array(z.object({ id: z.string().regex(/^[\w.-]{1,64}$/), secret: z.string().regex(/^[\w-]{43}$/) })).min(1),
});

/** Newest first. Throws an Error whose message is for the operator. */
export function readKeysFile(file: string): readonly RootKey[] {
  // Windows has no such modes; there the folder's own rights have to do.
  if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
    throw new Error(`The keys file ${file} can be read or changed by others on this machine. Make it yours alone: chmod 600 '${file}'`);
  }
  const parsed = shape.safeParse(parseJson(readFileSync(file, 'utf8')));
  if (!parsed.success) throw new Error(`The keys file ${file} is damaged. Restore it from a backup: what it sealed can't be read without it.`);
  const keys = parsed.data.keys.map(({ id, secret }) => ({ id, secret: new Uint8Array(Buffer.from(secret, 'base64url')) }));
  if (new Set(keys.map((key) => key.id)).size < keys.length) throw new Error(`The keys file ${file} has two keys of one id.`);
  if (keys.some(({ secret }) => new Set(secret).size < 8))
    throw new Error(`The keys file ${file} has a key that is not random. Take one from a backup, or start afresh.`);
  return keys;
}

/** Where several processes start at once, one makes the file and all read it. */
export function makeKeysFile(file: string, random: Random): void {
  const secret = Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
  const id = `k${Buffer.from(random.bytes(6)).toString('hex')}`;
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  const unfinished = `${file}.${process.pid}.new`;
  writeFileSync(unfinished, `${JSON.stringify({ keys: [{ id, secret }] }, null, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    // The mode above is narrowed by the umask, never widened; this makes it exact.
    chmodSync(unfinished, 0o600);
    // A link fails where the file is there, and a reader never sees half of it.
    linkSync(unfinished, file);
  } catch (error) {
    if ((error as { code?: string }).code !== 'EEXIST') throw error;
  } finally {
    rmSync(unfinished, { force: true });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
