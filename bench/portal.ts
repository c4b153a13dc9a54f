// The portal as operators start it: `twinlock serve` in a process of its own, behind a proxy, with mail going out by SMTP and its log to a file.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../test/support/ports.ts';
import { Connection } from './connection.ts';

const TWINLOCK = fileURLToPath(new URL('../bin/twinlock', import.meta.url));
const START_MILLISECONDS_MOST = 30_000;

export interface RunningPortal {
  readonly port: number;
  /** From the start of the process until a page came. */
  readonly startMilliseconds: number;
  memoryMebibytes(): Memory;
  stop(): Promise<void>;
}

/** Undefined where the system does not tell. */
export type Memory = { readonly now: number; readonly most: number } | undefined;

/** What `twinlock serve` wants to know, and nothing that weakens it. */
export async function environmentIn(directory: string, smtpUrl: string): Promise<Record<string, string>> {
  return {
    TWINLOCK_PORT: String(await freePort()),
    TWINLOCK_HOST: '127.0.0.1',
    TWINLOCK_ORIGIN: 'https://login.example.org',
    TWINLOCK_DATA_DIR: directory,
    TWINLOCK_SMTP_URL: smtpUrl,
    TWINLOCK_TRUSTED_PROXIES: '127.0.0.1',
  };
}

export async function startPortal(directory: string, environment: Record<string, string>): Promise<RunningPortal> {
  const port = Number(environment['TWINLOCK_PORT']);
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TWINLOCK_')));
  const logFile = path.join(directory, 'portal.log');
  const log = openSync(logFile, 'a');
  const startedAt = performance.now();
  const child = spawn(TWINLOCK, ['serve'], { cwd: directory, env: { ...inherited, ...environment }, stdio: ['ignore', log, log] });
  closeSync(log);
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() - startedAt > START_MILLISECONDS_MOST) {
      child.kill();
      throw new Error(`The portal did not start:\n${readFileSync(logFile, 'utf8')}`);
    }
    await wait(2);
  }
  const startMilliseconds = performance.now() - startedAt;
  return { port, startMilliseconds, memoryMebibytes: () => memoryOf(child), stop: () => stop(child) };
}

async function answers(port: number): Promise<boolean> {
  try {
    const connection = await Connection.open(port);
    const { status } = await connection.send('GET /sign-in HTTP/1.1\r\nHost: login.example.org\r\n\r\n');
    connection.close();
    return status === 200;
  } catch {
    return false;
  }
}

function memoryOf({ pid }: ChildProcess): Memory {
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return undefined;
  }
  const mebibytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) / 1024;
  return { now: mebibytes('VmRSS'), most: mebibytes('VmHWM') };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
