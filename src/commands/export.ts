import { createWriteStream, renameSync, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Organisation } from '../organisations/organisations.ts';
import type { World } from '../platform/world.ts';
import { Misunderstanding, organisationFrom, ORGANISATION_OPTION, sayProgress, textOf, withWorld, type Command, type Given } from './command.ts';

const OPTIONS = {
  ...ORGANISATION_OPTION,
  format: { value: 'FORMAT', does: 'csv, for spreadsheets, or jsonl, for programs. csv unless told.' },
  output: { value: 'FILE', does: 'Writes there, and not to the standard output. The file is there once it is whole.' },
} as const satisfies Command['options'];

export const exportPeople: Command = {
  name: 'export people',
  options: OPTIONS,
  does: 'Write the people of an organisation, with roles and methods.',
  more: 'It is recorded in the audit log. How far it has come is said on the standard error.',
  run: (given) => exporting(given, 'people', async () => (await import('../admin/admin.ts')).takePeople),
};

export const exportAudit: Command = {
  name: 'export audit',
  options: OPTIONS,
  does: 'Write the audit log of an organisation, the newest first.',
  more: 'It is recorded in the audit log. How far it has come is said on the standard error.',
  run: (given) => exporting(given, 'events', async () => (await import('../admin/admin.ts')).takeAudit),
};

type Take = (world: World, organisation: Organisation, how: { format: 'csv' | 'json-lines'; taken: (count: number) => void }) => Promise<AsyncIterable<string>>;

/** How often it is said how far it has come. */
const SAID_EVERY = 10_000;

async function exporting(given: Given, what: string, load: () => Promise<Take>): Promise<void> {
  const format = formatOf(textOf(given, 'format') ?? 'csv');
  const take = await load();
  await withWorld(async (world) => {
    const organisation = await organisationFrom(world, given);
    let count = 0;
    const taken = (now: number): void => {
      if (Math.floor(now / SAID_EVERY) > Math.floor(count / SAID_EVERY)) sayProgress(`${now} ${what} written`);
      count = now;
    };
    await write(await take(world, organisation, { format, taken }), textOf(given, 'output'));
    sayProgress(`${count} ${what} of ${organisation.name} written`);
  });
}

function formatOf(text: string): 'csv' | 'json-lines' {
  if (text === 'csv') return 'csv';
  if (text === 'jsonl') return 'json-lines';
  throw new Misunderstanding(`The format is csv or jsonl, not '${text}'.`);
}

/** To a file beside the one that is wanted, which takes its place once it is whole: half a list looks like a list. */
async function write(parts: AsyncIterable<string>, file: string | undefined): Promise<void> {
  if (file === undefined) return pipe(parts, process.stdout).catch(whereReadingEnded);
  const unfinished = `${file}.unfinished`;
  try {
    await pipe(parts, createWriteStream(unfinished, { mode: 0o600 }));
    renameSync(unfinished, file);
  } catch (cause) {
    rmSync(unfinished, { force: true });
    throw new Error(`${file} can't be written: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** `twinlock export people | head`. */
function whereReadingEnded(cause: unknown): never {
  if ((cause as { code?: string }).code === 'EPIPE') throw new Error('Not all was written: whoever reads it has stopped.', { cause });
  throw cause;
}

/** Each part is asked for when the one before is on its way. */
const pipe = (parts: AsyncIterable<string>, to: Writable): Promise<void> => pipeline(Readable.from(parts), to, { end: to !== process.stdout });
