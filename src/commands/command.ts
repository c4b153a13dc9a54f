/**
 * What a command of the operator is, and what all of them share. Each stands in a file of its own and in the table of commands.ts; cli.ts finds the one that
 * was meant, reads its words and says what went wrong. What a command needs of the portal it loads when it runs, so that a slip is told at once.
 */
import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { readSettings, unreadLines, type Settings } from '../config.ts';
import type { Organisation } from '../organisations/organisations.ts';
import { reasonOf } from '../platform/reason.ts';
import type { World } from '../platform/world.ts';

export interface Command {
  /** 'audit verify' */
  readonly name: string;
  /** The words that have to follow, as its help names them: 'EMAIL'. */
  readonly words?: readonly string[];
  readonly options?: Readonly<Record<string, Option>>;
  /** A sentence for the list of commands. */
  readonly does: string;
  /** What else its own help says. */
  readonly more?: string;
  run(given: Given): Promise<void>;
}

export interface Option {
  /** What stands behind it, as its help names it: 'FILE'. Undefined: nothing does. */
  readonly value?: string;
  readonly required?: boolean;
  readonly does: string;
}

/** What was typed, once it was understood. */
export interface Given {
  readonly words: readonly string[];
  /** Of options that were given: the value, or true where they take none. */
  readonly options: Readonly<Record<string, string | true | undefined>>;
  /** What the command has to say: as a sentence, or as one JSON value where --json asks for that. */
  answer(sentence: string, value: unknown): void;
}

/** For commands that answer programs too. */
export const JSON_OPTION = { json: { does: 'Answers with JSON, for programs.' } } as const satisfies Command['options'];

/** For commands that are about one organisation. */
export const ORGANISATION_OPTION = {
  organisation: { value: 'NAME', does: 'Whose, where there are several: its name, or its id where several have that name.' },
} as const satisfies Command['options'];

/** What the operator typed wrong, as sentences. */
export class Misunderstanding extends Error {}

export function textOf({ options }: Given, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

export function say(text: string): void {
  process.stdout.write(text);
}

/** How far long work has come. Not on the standard output, which may go to a file or a program. */
export function sayProgress(text: string): void {
  process.stderr.write(`  ${text}\n`);
}

/** The World of the settings, for one command; closed at its end. */
export async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  const { openWorld } = await import('../open-world.ts');
  const world = await openWorld(settingsFrom({ development: false, serving: false }));
  try {
    await work(world);
  } finally {
    await world.database.close();
  }
}

export function settingsFrom(how: { development: boolean; serving: boolean }): Settings {
  const text = readSettingsFile('.env');
  // What the environment says wins over the file.
  const ofFile = Object.fromEntries(Object.entries(parseEnv(text)).filter(([name]) => name.startsWith('TWINLOCK_')));
  const read = readSettings({ ...ofFile, ...process.env }, { ...how, directory: process.cwd() });
  const mistakes = [...unreadLines(text), ...(read.ok ? [] : read.mistakes)];
  if (!read.ok || mistakes.length > 0)
    throw new Misunderstanding(`Twinlock can't start with these settings:\n${mistakes.map((mistake) => `  - ${mistake}\n`).join('')}`);
  return read.settings;
}

/** Empty where there is none. Some editors put a mark in front that is not seen. */
function readSettingsFile(file: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return '';
    throw new Error(`The file ${file} can't be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** Whoever has more knows their names. */
const NAMED_MOST = 10;

/** The one that was named, or the only one that there is. */
export async function organisationFrom({ database }: World, given: Given): Promise<Organisation> {
  const idOrName = textOf(given, 'organisation');
  const { findOrganisations, listOrganisations } = await import('../organisations/organisations.ts');
  if (idOrName === undefined) {
    const [only, ...others] = await listOrganisations(database.query);
    if (!only) throw new Error('There is no organisation yet.');
    if (others.length === 0) return only;
    const names = [only, ...others].slice(0, NAMED_MOST).map(({ name }) => `'${name}'`);
    throw new Misunderstanding(
      `There are ${others.length + 1} organisations. Say which by --organisation NAME: ${names.join(', ')}${others.length < NAMED_MOST ? '' : ' …'}`,
    );
  }
  const [found, ...more] = await findOrganisations(database.query, idOrName);
  if (!found) throw new Error(`There is no organisation '${idOrName}'.`);
  if (more.length > 0)
    throw new Error(`Several organisations are called '${idOrName}'. Name one by its id: ${[found, ...more].map(({ id }) => id).join(', ')}`);
  return found;
}
