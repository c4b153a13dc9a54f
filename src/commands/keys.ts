import { JSON_OPTION, settingsFrom, withWorld, type Command } from './command.ts';

export const rotateKeys: Command = {
  name: 'keys rotate',
  options: JSON_OPTION,
  does: 'Put a new key into the keys file in the place of the old one, also while the portal runs.',
  more:
    'For the day when somebody may have seen the file. Nobody is signed out, and no password or method changes. Copies of the file on other machines have to be replaced before the portal ' +
    'starts there again. A backup of the database that was made before opens with the file of then alone: keep the two together, or destroy both.',
  async run({ answer }) {
    const { rotateKeysFile } = await import('../rotate-keys.ts');
    const { keysFile } = settingsFrom({ development: false, serving: false });
    await withWorld(async (world) => {
      const id = await rotateKeysFile(world, keysFile);
      answer(`${keysFile} has a new key, ${id}, and no other. Back it up, apart from the database.`, { key: id, file: keysFile });
    });
  },
};
