/**
 * One more process over the data of a portal, with its own connections and its own memory, listening on a port of this machine: what races only
 * within one process is not what a cluster does. Its clock follows the portal's.
 *   await using other = await startSecondProcess(portal);
 *   await ada.browser.movedTo(other).reload();
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { siteAt } from './http-site.ts';
import type { Portal } from './portal.ts';
import type { Site } from './visitor.ts';
import type { TestWorldOptions } from './world.ts';

/** What the process is told at first, and later its clock alone. */
export type Told = { readonly kind: 'open'; readonly options: TestWorldOptions } | { readonly kind: 'clock'; readonly now: number };

/** No two may draw the same ids. */
let seed = 77;

export interface SecondProcess extends Site, AsyncDisposable {}

export async function startSecondProcess(portal: Portal): Promise<SecondProcess> {
  const { database, place, installation, clock } = portal.world;
  const child = fork(fileURLToPath(new URL('second-process-main.ts', import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  let told = clock.now();
  const port = await tell(child, { kind: 'open', options: { engine: database.engine, path: place, startAt: told, seed: (seed += 1), installation } });
  const site = siteAt(port);
  return {
    async inject(asked) {
      if (clock.now() !== told) await tell(child, { kind: 'clock', now: (told = clock.now()) });
      return site.inject(asked);
    },
    async [Symbol.asyncDispose]() {
      site.close();
      const gone = once(child, 'exit');
      child.disconnect();
      await gone;
    },
  };
}

/** Every message is answered by the port that the process listens on. */
async function tell(child: ChildProcess, told: Told): Promise<number> {
  const answered = once(child, 'message');
  child.send(told);
  const [port] = (await Promise.race([
    answered,
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`The second process ended with ${String(code)}.`))),
  ])) as [number];
  return port;
}
