// A new key for the keys file, while the portal runs (CR-3). Whoever got hold of the old file has nothing then that opens the database as it is.
import { commandLine, record } from './audit/audit.ts';
import { readKeysFile, makeSecretKey, replaceKeysFile } from './platform/secrets/keys-file.ts';
import { makeKeys } from './platform/secrets/keys.ts';
import { sealingKeys, sealRootKeysAnew } from './platform/secrets/root-keys.ts';
import type { World } from './platform/world.ts';

/**
 * Old and new stand in the file together until the database says which of them it needs: whenever this is interrupted, the file opens it. Both steps hold the
 * rows of the root keys, so that two who rotate at once do it one after the other. Returns the id of the new key.
 */
export async function rotateKeysFile(world: World, file: string): Promise<string> {
  const key = makeSecretKey(world.random);
  await world.database.transaction(async (transaction) => {
    await sealingKeys(transaction);
    const old = readKeysFile(file).filter(({ id }) => id !== key.id);
    replaceKeysFile(file, [key, ...old]);
    await sealRootKeysAnew(transaction, { from: makeKeys(old), to: makeKeys([key]) });
    await record(world, transaction, { event: 'keys_rotated', accountId: null, from: commandLine });
  });
  await world.database.transaction(async (transaction) => {
    const needed = await sealingKeys(transaction);
    replaceKeysFile(
      file,
      readKeysFile(file).filter(({ id }) => needed.has(id)),
    );
  });
  return key.id;
}
