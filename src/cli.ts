// The operator's command line: finds the command that was meant, reads what it was given, and says how it ended. The commands stand in commands/.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Misunderstanding, say, type Command, type Given } from './commands/command.ts';
import { COMMANDS } from './commands/commands.ts';
import { serve } from './commands/serve.ts';
import { reasonOf } from './platform/reason.ts';
import { nearest } from './platform/words/nearest.ts';

const FAILED = 1;
const NOT_UNDERSTOOD = 2;

const EXIT_CODES = 'Exit codes: 0 done, 1 it could not be done, 2 the command or a setting was not understood.\n';

async function run(typed: readonly string[]): Promise<void> {
  const [first] = typed;
  if (first === undefined) throw new Misunderstanding(`Which command?\n\n${help()}`);
  if (first === 'help' || first === '--help' || first === '-h') return say(help());
  if (first === '--version') return say(versionOf());
  const { command, rest } = find(typed);
  if (rest.includes('--help') || rest.includes('-h')) return say(helpOf(command));
  await command.run(understand(command, rest));
}

/** The command whose name is the longest beginning of what was typed. */
function find(typed: readonly string[]): { command: Command; rest: readonly string[] } {
  const words = typed.slice(0, 2).filter((word) => !word.startsWith('-'));
  for (const count of [2, 1]) {
    const command = words.length >= count && COMMANDS.find(({ name }) => name === words.slice(0, count).join(' '));
    if (command) return { command, rest: typed.slice(count) };
  }
  const begun = COMMANDS.filter(({ name }) => name.startsWith(`${words[0]} `));
  if (begun.length > 0) throw new Misunderstanding(`Say ${begun.map(quoted).join(' or ')}.`);
  const names = COMMANDS.flatMap(({ name }) => [name, name.split(' ')[0]!]);
  const meant = nearest(words.join(' '), words.length > 1 ? [...names] : names.filter((name) => !name.includes(' ')));
  throw new Misunderstanding(`There is no command '${typed[0]}'. Did you mean '${meant}'? 'twinlock --help' lists them all.`);
}

/** Reads by itself what parseArgs would only refuse, so that it can say what was meant. */
function understand(command: Command, rest: readonly string[]): Given {
  const { name, words = [], options = {} } = command;
  const types: Record<string, { type: 'boolean' | 'string' }> = {};
  for (const [option, { value }] of Object.entries(options)) types[option] = { type: value === undefined ? 'boolean' : 'string' };
  const { positionals, tokens } = parseArgs({ args: [...rest], options: types, allowPositionals: true, strict: false, tokens: true });
  const given: Record<string, string | true> = {};
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name]! : undefined;
    if (!option) throw new Misunderstanding(`'twinlock ${name}' has no option '${token.rawName}'.${meantOption(token.name, Object.keys(options))}`);
    given[token.name] = option.value === undefined ? true : (token.value ?? '');
    const wrong = option.value === undefined ? token.value !== undefined : isMissing(token);
    if (wrong)
      throw new Misunderstanding(option.value === undefined ? `--${token.name} takes no value.` : `--${token.name} needs a ${option.value} behind it.`);
  }
  const missing = [
    ...words.slice(positionals.length),
    ...Object.keys(options).flatMap((option) => (options[option]!.required === true && given[option] === undefined ? [`--${option}`] : [])),
  ];
  if (missing.length > 0) throw new Misunderstanding(`'twinlock ${name}' needs ${missing.join(' and ')}. Say 'twinlock ${synopsis(command)}'.`);
  if (positionals.length > words.length)
    throw new Misunderstanding(`'twinlock ${name}' takes no '${positionals[words.length]}'. Say ${relativesOf(command).map(quoted).join(' or ')}.`);
  return { words: positionals, options: given, answer: (sentence, value) => say(given['json'] === true ? `${JSON.stringify(value)}\n` : `${sentence}\n`) };
}

/** `--output --json` has left something out, and means no file of that name. */
const isMissing = ({ value, inlineValue }: { value: string | undefined; inlineValue: boolean | undefined }): boolean =>
  value === undefined || value === '' || (inlineValue !== true && value.startsWith('-'));

function meantOption(typed: string, known: readonly string[]): string {
  if (Object.keys(serve.options ?? {}).includes(typed)) return ` It goes with 'twinlock serve' alone.`;
  const meant = nearest(typed, known);
  return meant === undefined ? '' : ` Did you mean '--${meant}'?`;
}

/** 'audit verify [--checkpoint FILE] [--json]' */
function synopsis({ name, words = [], options = {} }: Command): string {
  const said = Object.entries(options).map(([option, { value, required }]) => {
    const whole = value === undefined ? `--${option}` : `--${option} ${value}`;
    return required === true ? whole : `[${whole}]`;
  });
  return [name, ...words, ...said].join(' ');
}

/** The command, and those whose names begin with the same word. */
const relativesOf = ({ name }: Command): readonly Command[] => COMMANDS.filter((one) => one.name.split(' ')[0] === name.split(' ')[0]);

const quoted = (command: Command): string => `'twinlock ${[command.name, ...(command.words ?? [])].join(' ')}'`;

function help(): string {
  const lines = COMMANDS.map((command) => [`twinlock ${[command.name, ...(command.words ?? [])].join(' ')}`, command.does] as const);
  return `Twinlock: two-factor authentication for an organisation's people and apps.

${columns(lines)}
'twinlock COMMAND --help' says what else a command takes.
Settings are environment variables that start with TWINLOCK_, or lines of a file .env in this folder; the README lists them.
${EXIT_CODES}`;
}

function helpOf(command: Command): string {
  const options = Object.entries(command.options ?? {}).map(
    ([option, { value, does }]) => [`--${option}${value === undefined ? '' : ` ${value}`}`, does] as const,
  );
  const others = relativesOf(command).filter((one) => one !== command);
  return [
    `twinlock ${synopsis(command)}\n`,
    `${command.does}${command.more === undefined ? '' : `\n${command.more}`}\n`,
    ...(options.length > 0 ? [columns(options)] : []),
    ...(others.length > 0 ? [`See also ${others.map(quoted).join(', ')}.\n`] : []),
    EXIT_CODES,
  ].join('\n');
}

function columns(lines: readonly (readonly [string, string])[]): string {
  const width = Math.max(...lines.map(([left]) => left.length));
  return lines.map(([left, right]) => `  ${left.padEnd(width)}   ${right}\n`).join('');
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return `twinlock ${version}\n`;
}

function fail(error: unknown): void {
  process.stderr.write(`${reasonOf(error).trimEnd()}\n`);
  process.exitCode = error instanceof Misunderstanding ? NOT_UNDERSTOOD : FAILED;
}

// What is made here (database, keys) is for nobody else on this machine.
process.umask(0o077);
run(process.argv.slice(2)).catch(fail);
