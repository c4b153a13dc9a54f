import { JSON_OPTION, withWorld, type Command } from './command.ts';

export const restored: Command = {
  name: 'restored',
  options: JSON_OPTION,
  does: 'Say that the database was put back from a backup: before the portal starts on it.',
  more:
    'What may have been used or ended since the backup was made counts no more: everybody is signed out, and every API key, invitation, link and bypass code, every trusted device and every reset of ' +
    'methods that waits is at its end. Passwords and methods are those of the backup: who has changed them since, or has used their Recovery Key, has the old ones back. Tell them so.',
  async run({ answer }) {
    const { endWhatWasRestored } = await import('../restored.ts');
    await withWorld(async (world) => {
      await endWhatWasRestored(world);
      answer('Everybody is signed out; API keys, invitations, links and bypass codes are at their end. Now start the portal.', { restored: true });
    });
  },
};
