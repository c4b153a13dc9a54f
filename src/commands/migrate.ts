import { JSON_OPTION, settingsFrom, type Command } from './command.ts';

export const migrate: Command = {
  name: 'migrate',
  options: JSON_OPTION,
  does: 'Bring the database up to date, and say what ran. Every other command does so too, under a lock.',
  async run({ answer }) {
    const settings = settingsFrom({ development: false, serving: false });
    const { openDatabase } = await import('../open-world.ts');
    const { database, migrated } = await openDatabase(settings);
    await database.close();
    const sentence =
      migrated.length === 0 ? 'The database is up to date.' : `Brought the database up to date:\n${migrated.map((name) => `  ${name}\n`).join('')}`;
    answer(sentence, { database: database.engine, migrated });
  },
};
