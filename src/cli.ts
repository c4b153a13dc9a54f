// The operator's commands. `twinlock --help` lists them. What a command needs of the portal is loaded once its words are understood, so that a slip is told at once.
import { readFileSync } from 'node:fs';
import { parseArgs, parseEnv } from 'node:util';
import type { Broken, Checkpoint } from './audit/audit.ts';
import { readSettings, type Environment, type Settings } from './config.ts';
import { reasonOf } from './platform/reason.ts';
import { nearest } from './platform/words/nearest.ts';
import type { World } from './platform/world.ts';

const HELP = `Twinlock: two-factor authentication for an organisation's people and apps.

  twinlock serve                  Start the portal. Wants TWINLOCK_ORIGIN (https) and TWINLOCK_SMTP_URL.
  twinlock serve --development    Start it on http://localhost:3000 to try it out; mail is shown at /dev/mail unless TWINLOCK_SMTP_URL is set.
  twinlock policy                 Show the Security Policy of the installation.
  twinlock policy set POLICY      Set it, also while the portal runs: off, optional or required.

  twinlock audit verify           Prove that the audit log is as it was written; names the first entry that is not. --checkpoint FILE holds it against one.
  twinlock audit checkpoint       Print a signed checkpoint of the audit log, to be kept where the operator can't change it.

Settings are environment variables that start with TWINLOCK_, or lines of a file .env in this folder; the README lists them.
Exit codes: 0 done, 1 it could not be done, 2 the command or a setting was not understood.
`;

const FAILED = 1;
const NOT_UNDERSTOOD = 2;

/** What the operator typed wrong, as sentences. */
class Misunderstanding extends Error {}

interface Flags {
  readonly development: boolean;
  readonly checkpoint: string | undefined;
}

const COMMANDS: Readonly<Record<string, (words: readonly string[], flags: Flags) => Promise<void>>> = { serve, policy, audit };

async function run(words: readonly string[]): Promise<void> {
  const { values, positionals } = understand(words);
  const [name, ...rest] = positionals;
  if (values.help || name === 'help') return say(HELP);
  if (values.version) return say(versionOf());
  if (name === undefined) throw new Misunderstanding(`Which command?\n\n${HELP}`);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!command)
    throw new Misunderstanding(`There is no command '${name}'. Did you mean '${nearest(name, Object.keys(COMMANDS))}'? 'twinlock --help' lists them all.`);
  if (values.development && name !== 'serve') throw new Misunderstanding(`--development goes with 'twinlock serve' alone.`);
  if (values.checkpoint !== undefined && name !== 'audit') throw new Misunderstanding(`--checkpoint goes with 'twinlock audit verify' alone.`);
  await command(rest, { checkpoint: undefined, ...values });
}

function understand(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        version: { type: 'boolean', default: false },
        development: { type: 'boolean', default: false },
        checkpoint: { type: 'string' },
      },
    });
  } catch (cause) {
    throw new Misunderstanding(`${reasonOf(cause)} 'twinlock --help' lists what there is.`, { cause });
  }
}

async function serve(words: readonly string[], { development }: Flags): Promise<void> {
  if (words.length > 0) throw new Misunderstanding(`'twinlock serve' takes no '${words[0]}'.`);
  const settings = settingsFrom({ development, serving: true });
  const { startPortal } = await import('./main.ts');
  const portal = await startPortal(settings);
  if (development) {
    say(`\n  ${settings.name} is ready: open ${settings.origin}\n`);
    if (settings.smtpUrl === undefined) say(`  Mail is not sent but shown: ${settings.origin}/dev/mail\n`);
    say(`  Data: ${settings.dataDirectory}   Stop: Ctrl+C\n\n`);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void portal.stop().then(() => process.exit(0), fail));
  }
  const { makeSetUpLink } = await import('./organisations/organisations.ts');
  const link = await makeSetUpLink(portal.world);
  // Where it runs for real, the standard output is a log, which others may read.
  if (link !== undefined)
    (development ? process.stdout : process.stderr).write(`  Nobody looks after this portal yet. Whoever opens this first can:\n  ${link}\n\n`);
}

async function policy([verb, wanted, ...more]: readonly string[]): Promise<void> {
  const { readPolicy, setPolicy, TWO_FACTOR_POLICIES } = await import('./policy/policy.ts');
  const two = TWO_FACTOR_POLICIES.find((one) => one === wanted);
  const shows = verb === undefined || (verb === 'show' && wanted === undefined);
  if (!shows && (verb !== 'set' || more.length > 0))
    throw new Misunderstanding(`Say 'twinlock policy' to see it, or 'twinlock policy set required' to change it.`);
  if (!shows && !two) throw new Misunderstanding(`The policy is one of ${TWO_FACTOR_POLICIES.join(', ')}${wanted === undefined ? '' : `, not '${wanted}'`}.`);

  await withWorld(async (world) => {
    if (two && !(await world.database.transaction((transaction) => setPolicy(world, transaction, two))))
      throw new Error('Somebody else changed the policy at the same moment. Look at it, and try again.');
    const { rules } = await readPolicy(world.database.query);
    say(`Two-factor authentication is ${MEANINGS[rules.twoFactor]}\n`);
  });
}

const MEANINGS = {
  off: 'off: nobody can add a method. Who has one is still asked for it.',
  optional: 'optional: everybody may turn it on for themselves.',
  required: 'required: who has none is asked to set it up at the next sign-in.',
} as const;

async function audit([verb, ...more]: readonly string[], { checkpoint: file }: Flags): Promise<void> {
  if ((verb !== 'verify' && verb !== 'checkpoint') || more.length > 0 || (verb === 'checkpoint' && file !== undefined)) {
    throw new Misunderstanding(`Say 'twinlock audit verify' or 'twinlock audit checkpoint'.`);
  }
  const { checkpointShape, makeCheckpoint, verifyChain } = await import('./audit/audit.ts');
  const checkpoint = file === undefined ? undefined : readCheckpoint(file, checkpointShape.parse);
  await withWorld(async (world) => {
    if (verb === 'checkpoint') {
      const made = await makeCheckpoint(world);
      if (!made) throw new Error('The audit log is empty: there is nothing to keep yet.');
      return say(`${JSON.stringify(made, null, 2)}\n`);
    }
    const progress = (entries: number): void => void process.stderr.write(`  ${entries} entries read\n`);
    const verified = await verifyChain(world, { progress, ...(checkpoint && { checkpoint }) });
    if (!verified.ok) throw new Error(`The audit log is not as it was written. Entry ${verified.sequence}: ${BROKEN[verified.reason]}`);
    const waiting = verified.unchained > 0 ? `, and ${verified.unchained} of the last moments that are not chained yet` : '';
    const begins = verified.first > 1 ? `, from number ${verified.first} on; older ones were removed, as the retention that was set says` : '';
    say(`The audit log is as it was written: ${verified.entries} entries${begins}${waiting}. Its end: ${verified.head}\n`);
    if (verified.checkpointIsPast)
      throw new Error(
        `The checkpoint is of this installation, but of entry ${checkpoint!.sequence}, which was removed since: it can't be compared. Make a new one from time to time.`,
      );
  });
}

const BROKEN: Readonly<Record<Broken, string>> = {
  changed: 'something in it was changed, or it was put there later.',
  missing: 'it was removed.',
  'beginning-changed': 'the mark of where the log begins was not signed by this installation.',
  'end-changed': 'the mark of the end of the log does not fit it.',
  'end-missing': 'the mark of the end of the log was removed.',
  'checkpoint-differs': 'it is another one than when the checkpoint was made: the log was rewritten.',
  'checkpoint-not-signed': 'the checkpoint for it was not signed by this installation.',
};

function readCheckpoint(file: string, parse: (value: unknown) => Checkpoint): Checkpoint {
  try {
    return parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Misunderstanding(`The file ${file} is no checkpoint that 'twinlock audit checkpoint' printed.`, { cause });
  }
}

async function withWorld(work: (world: World) => Promise<void>): Promise<void> {
  const { openWorld } = await import('./open-world.ts');
  const world = await openWorld(settingsFrom({ development: false, serving: false }));
  try {
    await work(world);
  } finally {
    await world.database.close();
  }
}

function settingsFrom(how: { development: boolean; serving: boolean }): Settings {
  const read = readSettings({ ...fileEnvironment('.env'), ...process.env }, { ...how, directory: process.cwd() });
  if (!read.ok) throw new Misunderstanding(`Twinlock can't start with these settings:\n${read.mistakes.map((mistake) => `  - ${mistake}\n`).join('')}`);
  return read.settings;
}

/** The lines of the file that are settings of ours; what the environment says wins over them. */
function fileEnvironment(file: string): Environment {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return {};
    throw new Error(`The file ${file} can't be read: ${reasonOf(error)}`, { cause: error });
  }
  return Object.fromEntries(Object.entries(parseEnv(text)).filter(([name]) => name.startsWith('TWINLOCK_')));
}

function versionOf(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return `twinlock ${version}\n`;
}

function say(text: string): void {
  process.stdout.write(text);
}

function fail(error: unknown): void {
  process.stderr.write(`${reasonOf(error).trimEnd()}\n`);
  process.exitCode = error instanceof Misunderstanding ? NOT_UNDERSTOOD : FAILED;
}

// What is made here (database, keys) is for nobody else on this machine.
process.umask(0o077);
run(process.argv.slice(2)).catch(fail);
