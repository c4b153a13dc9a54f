/**
 * Loaded before the tests (scripts/test.ts). node:test follows every promise, timer and socket of a process, to tell which test one belongs to that fails after all:
 * a tenth of the suite's time. Without that such a failure still fails its process, and is reported without the test's name. It has to follow them for as long as
 * files are loaded, though: else the hooks of a file are not that file's own, but of all files that share its process.
 */
import asyncHooks, { type AsyncHook } from 'node:async_hooks';

const { createHook } = asyncHooks;
let followed: AsyncHook | undefined;
/** The first hook is the runner's own. */
asyncHooks.createHook = (callbacks) => {
  asyncHooks.createHook = createHook;
  return (followed = createHook(callbacks));
};

export function stopFollowing(): void {
  followed?.disable();
}
