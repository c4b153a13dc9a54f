/**
 * An attempt: one person in one browser on the way to something that must be proved, from the first step to the last.
 * Signing in is one, and so is everything that asks for codes afterwards: turning two-factor authentication on or off, a new Recovery
 * Key, another address, a fresh proof. An attempt opens nothing by itself; whoever began it acts when next-step.ts says 'done'.
 * Invariants: it belongs to one browser (a cookie's token, or a session) and one account; it is stored sealed and replaced only where
 * unchanged, so that of two requests that race one is refused; it survives a restart; it is gone after half an hour.
 * attempt.ts keeps it, next-step.ts decides, steps.ts does, web.ts shows: its pages are the same for whoever began it.
 */
export * from './attempt.ts';
export * from './steps.ts';
export { FIRST_FACTORS, maySetUp, missingProofs } from './fresh-proof.ts';
export type { Purpose } from './next-step.ts';
export { mountJourney, situationOf, type Journey } from './web.ts';
export { METHOD_NAME_MOST, methodNameFrom, unusedMethodName } from './method-name.ts';
