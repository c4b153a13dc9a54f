import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

const ROOM_LEAST_BYTES = 4 * 1024 ** 3;

/** Where the databases of tests lie: in memory, where the machine has a place for files there with room enough, since copying and removing them on a disk costs more than the tests on them. */
export function quickDirectory(): string {
  try {
    const { bavail, bsize } = statfsSync(IN_MEMORY);
    return bavail * bsize >= ROOM_LEAST_BYTES ? IN_MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

const IN_MEMORY = '/dev/shm';
