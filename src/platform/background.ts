import type { World } from './world.ts';

export interface Background {
  /** Waits for what is running. */
  stop(): Promise<void>;
}

/** Does `work` every so many milliseconds, never twice at once. What goes wrong is logged, and tried again the next time. */
export function repeat(world: Pick<World, 'log'>, { name, every, work }: { name: string; every: number; work: () => Promise<unknown> }): Background {
  let running: Promise<void> | undefined;
  const once = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      world.log.error(`${name} failed`, { error: error instanceof Error ? error.message : String(error) });
    }
    running = undefined;
  };
  const timer = setInterval(() => void (running ??= once()), every);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}

/** Lets others have their turn, in the middle of long work. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
