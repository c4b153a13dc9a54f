import type { Purpose, Step } from './next-step.ts';

export interface Progress {
  readonly at: number;
  readonly of: number;
}

export interface Way {
  readonly purpose: Purpose;
  readonly methodIsChosen: boolean;
  /** A page says what the method is, before it is set up. */
  readonly methodIsExplained: boolean;
  /** In a browser that is new to the account, or a session that only signed in, see next-step.ts. */
  readonly mailIsAskedFirst: boolean;
  /** A new Recovery Key is to be kept at the end. */
  readonly keyIsKept: boolean;
}

/** How far somebody has come who sets something up; undefined where that can't be said, or one step is all there is. */
export function progressAt(step: Step, way: Way): Progress | undefined {
  const steps = stepsOf(way);
  const index = steps.indexOf(step);
  return index === -1 || steps.length < 2 ? undefined : { at: index + 1, of: steps.length };
}

function stepsOf({ purpose, methodIsChosen, methodIsExplained, mailIsAskedFirst, keyIsKept }: Way): Step[] {
  if (purpose === 'new-recovery-key') return ['email-code', 'recovery-key'];
  // Before the choice nobody knows how many there will be.
  if ((purpose !== 'enrol' && purpose !== 'sign-in') || !methodIsChosen) return [];
  const steps: (Step | false)[] = [mailIsAskedFirst && 'email-code', methodIsExplained && 'begin-method', 'confirm-method', keyIsKept && 'recovery-key'];
  return steps.filter((step) => step !== false);
}
