/**
 * npm run bench: what the portal does in a second, and what the same machine would allow, in one run. docs/performance.md says how to read it.
 *   npm run bench -- --seconds 5    how long each part is measured (8 unless told)
 *   npm run bench -- --quick        a look at whether it runs; its figures say little
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { SMTPServer } from 'smtp-server';
import type { World } from '../src/platform/world.ts';
import { findSession } from '../src/sessions/sessions.ts';
import { ARGON2, argon2Hashes, durableCommitsPerSecond } from './floors.ts';
import type { Job, Measured, Outcome } from './load.ts';
import { measureOrganisation } from './organisation.ts';
import { environmentIn, startPortal, type Memory, type RunningPortal } from './portal.ts';
import { openSeedWorld, seed, type Seeded } from './seed.ts';
import { table, type Row } from './table.ts';

const CONNECTIONS = 32;
/** In one organisation. */
const PEOPLE = 100_000;
/** Node's own thread pool has as many threads. */
const HASHES_AT_ONCE = 4;
/** More than any machine that this was tried on does in a second, so that nobody runs out of people. */
const MOST_PER_SECOND = { checks: 3000, signIns: 200 };

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '8' }, quick: { type: 'boolean', default: false } } });
const seconds = values.quick ? 0.3 : Number(values.seconds);
if (!(seconds > 0 && seconds <= 120)) throw new RangeError('--seconds takes a number up to 120.');

const directory = mkdtempSync(path.join(tmpdir(), 'twinlock-bench-'));
const mail = await startMailSink();
try {
  await bench();
} finally {
  mail.server.close();
  rmSync(directory, { recursive: true, force: true });
}

async function bench(): Promise<void> {
  const began = performance.now();
  const environment = await environmentIn(directory, mail.url);
  const world = await openSeedWorld(directory, environment);
  const people = Math.ceil(seconds * MOST_PER_SECOND.signIns) + CONNECTIONS;
  const halfWay = Math.ceil(seconds * MOST_PER_SECOND.checks) + CONNECTIONS;
  const seeded = await seed(world, { visitors: 1000, halfWay, people });
  const seededIn = performance.now() - began;
  const inProcess = await measureFindSession(world, seeded);
  const organisation = await measureOrganisation(world, { directory, people: values.quick ? 1000 : PEOPLE, seconds });
  await world.database.close();

  const starts: number[] = [];
  let portal: RunningPortal | undefined;
  for (let start = 0; start < 3; start += 1) {
    await portal?.stop();
    portal = await startPortal(directory, environment);
    starts.push(portal.startMilliseconds);
  }
  const generator = fork(new URL('load.ts', import.meta.url));
  try {
    const rows = [...(await measure({ portal: portal!, generator, seeded, inProcess })), ...organisation];
    print({ rows, startMilliseconds: starts.toSorted((one, other) => one - other)[1]!, memory: portal!.memoryMebibytes(), accounts: 1000 + people + halfWay });
  } finally {
    generator.disconnect();
    await portal!.stop();
  }
  const whole = (performance.now() - began) / 1000;
  process.stdout.write(
    `\nThe whole run took ${whole.toFixed(0)} s, ${(seededIn / 1000).toFixed(0)} s of them to make the people; mails sent: ${mail.count()}.\n`,
  );
}

/** Each floor is measured right before what is held against it: a machine's speed changes within minutes. */
async function measure({
  portal: { port },
  generator,
  seeded,
  inProcess,
}: {
  portal: RunningPortal;
  generator: ChildProcess;
  seeded: Seeded;
  inProcess: number;
}): Promise<Row[]> {
  const load = (work: Job['work'], { to = port, warmUp }: { to?: number; warmUp: number }) =>
    generate(generator, { port: to, connections: CONNECTIONS, seconds, warmUp, work });

  const bareServer = fork(new URL('bare-server.ts', import.meta.url));
  const [barePort] = (await once(bareServer, 'message')) as [number];
  const bare = await load({ kind: 'bare' }, { to: barePort, warmUp: values.quick ? 100 : 20_000 });
  bareServer.disconnect();
  const sessions = await load({ kind: 'session checks', visitors: seeded.visitors }, { warmUp: values.quick ? 100 : 10_000 });
  const forwarded = await load({ kind: 'forward-auth checks', visitors: seeded.visitors }, { warmUp: values.quick ? 100 : 10_000 });

  const commits = durableCommitsPerSecond(directory, seconds / 2);
  const checks = await load({ kind: 'second-factor checks', people: seeded.halfWay }, { warmUp: values.quick ? 32 : 1000 });

  const oneHash = await argon2Hashes(1, seconds / 4);
  const hashes = await argon2Hashes(HASHES_AT_ONCE, seconds / 2);
  const signIns = await load({ kind: 'sign-ins', people: seeded.people }, { warmUp: CONNECTIONS });

  return [
    { name: 'whole sign-in: password and code', measured: signIns, against: { floor: 'argon2id hashes', perSecond: hashes.perSecond, aim: 0.9 } },
    { name: 'second-factor check', measured: checks, against: { floor: 'durable commits', perSecond: commits, aim: 1 / 3 } },
    { name: 'session check: GET /account', measured: sessions, against: { floor: 'bare node:http', perSecond: bare.perSecond, aim: 1 / 3 } },
    { name: 'forward-auth check', measured: forwarded, against: { floor: 'bare node:http', perSecond: bare.perSecond, aim: 1 / 3 } },
    { name: 'findSession, in process', measured: { perSecond: inProcess } },
    { name: 'floor: bare node:http', measured: bare },
    { name: 'floor: one durable commit', measured: { perSecond: commits } },
    { name: 'floor: one argon2id hash', measured: oneHash },
    { name: `floor: argon2id hashes, ${HASHES_AT_ONCE} at once`, measured: hashes },
  ];
}

/** One after the other, without HTTP. */
async function measureFindSession(world: World, { visitors }: Seeded): Promise<number> {
  const startedAt = performance.now();
  let count = 0;
  while (performance.now() - startedAt < seconds * 250) {
    if (!(await findSession(world, visitors[count % visitors.length]!.sessionToken))) throw new Error('A session that was just opened is not found.');
    count += 1;
  }
  return count / ((performance.now() - startedAt) / 1000);
}

async function generate(generator: ChildProcess, job: Job): Promise<Measured> {
  const ended = once(generator, 'exit').then((): never => {
    throw new Error('The load generator ended.');
  });
  generator.send(job);
  const [outcome] = (await Promise.race([once(generator, 'message'), ended])) as [Outcome];
  if (!outcome.ok) throw new Error(`${job.work.kind}: ${outcome.reason}`);
  return outcome.measured;
}

function print({ rows, startMilliseconds, memory, accounts }: { rows: readonly Row[]; startMilliseconds: number; memory: Memory; accounts: number }): void {
  const argon = `m=${ARGON2.memory},t=${ARGON2.passes},p=${ARGON2.parallelism}`;
  const about = [
    `${CONNECTIONS} connections, ${seconds} s each; ${accounts.toLocaleString('en')} accounts in SQLite (WAL, synchronous=FULL); argon2id ${argon}`,
    `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${availableParallelism()} cores (${cpus()[0]?.model ?? 'unknown'}), load generator on the same machine`,
  ];
  const held = memory === undefined ? 'not known on this system' : `${memory.now.toFixed(0)} MiB resident after the load, ${memory.most.toFixed(0)} at most`;
  process.stdout.write(`${about.join('\n')}\n\n${table(rows)}\n`);
  process.stdout.write(`start-up   ${startMilliseconds.toFixed(0)} ms from the command until a page came (the middle one of three)\nmemory     ${held}\n`);
}

/** A mail server that takes all and keeps none. */
async function startMailSink(): Promise<{ server: SMTPServer; url: string; count: () => number }> {
  let count = 0;
  const server = new SMTPServer({
    authOptional: true,
    hideSTARTTLS: true,
    disableReverseLookup: true,
    onData: (stream, _session, answer) => {
      count += 1;
      stream.resume().on('end', () => answer());
    },
  });
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  const { port } = server.server.address() as { port: number };
  return { server, url: `smtp://127.0.0.1:${port}`, count: () => count };
}
