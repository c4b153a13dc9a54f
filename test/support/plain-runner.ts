/**
 * Loaded before the tests (scripts/test.ts). node:test follows every promise, timer and socket of a process, to tell which test one belongs to that fails after all:
 * a tenth of the suite's time. Without that such a failure still fails its process, and is reported without the test's name.
 */
import asyncHooks from 'node:async_hooks';

const { createHook } = asyncHooks;
/** The first hook is the runner's own. */
asyncHooks.createHook = () => {
  asyncHooks.createHook = createHook;
  const unused = { enable: () => unused, disable: () => unused };
  return unused;
};
