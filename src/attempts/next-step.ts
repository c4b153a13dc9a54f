/**
 * What comes next in an attempt: the one place that decides it. Pages never route to one another; each asks here.
 * Pure: everything that matters is in the facts.
 */
export type Purpose = 'sign-in' | 'confirm' | 'verify-email' | 'enrol' | 'disable' | 'new-recovery-key' | 'change-email' | 'reset-password';

export type Step =
  /** Show the password again, or sign in at one's identity provider again. */
  | 'first-factor'
  /** Choose a new password: it was forgotten, or the one that signs in has become too short. */
  | 'new-password'
  /** Show a second factor that the account has, or its Recovery Key. */
  | 'second-factor'
  /** Choose which method to set up, because the policy asks for one. */
  | 'choose-method'
  /** Read about the method that was chosen, and go on. */
  | 'begin-method'
  /** Show a code that was sent to the account's address. */
  | 'email-code'
  /** Show a code of the new method. */
  | 'confirm-method'
  /** Keep the Recovery Key that is shown. */
  | 'recovery-key'
  | 'done';

export interface Facts {
  readonly purpose: Purpose;
  /** What a confirmation still lacks, see fresh-proof.ts. Empty for other purposes. */
  readonly missing: readonly ('first-factor' | 'second-factor')[];
  /** The account has a factor that turns two-factor authentication on. It is asked for whatever the policy says (SE-3). */
  readonly protected: boolean;
  /** One of those is proved by the mailbox alone. */
  readonly mailboxSuffices: boolean;
  /** One of those, or the Recovery Key, was shown in this attempt. */
  readonly secondFactorShown: boolean;
  /** The browser is remembered: one of those was shown in it not long ago. */
  readonly deviceTrusted: boolean;
  readonly recoveryKeyUsed: boolean;
  readonly recoveryKeyHeld: boolean;
  /** What was shown, here or to open the session, has something in it that proves no more than that somebody may come in: a bypass code. */
  readonly onlySignedIn: boolean;
  /** The new Recovery Key of this attempt was saved. */
  readonly newKeyKept: boolean;
  /** What the policies ask of the account beside what it has, see policy/demand.ts. */
  readonly lacking: 'nothing' | 'set-up-later' | 'set-up-now';
  /** The person said "Not now". */
  readonly postponed: boolean;
  /** PW-1: the password that was shown has to become a longer one, and all was shown that changing it asks for. For who signs in. */
  readonly passwordTooShort: boolean;
  /** A policy wants the mailbox asked before a set-up in a browser that is new to the account. */
  readonly mailFirst: boolean;
  readonly emailVerified: boolean;
  /** This browser has been seen with this account before. */
  readonly browserKnown: boolean;
  /** A code that was sent to the account's address was shown in this attempt. */
  readonly emailShown: boolean;
  readonly method: 'none' | 'chosen' | 'begun' | 'shown';
  /** The method that was chosen is itself proved by a code to the account's address. */
  readonly methodProvesEmail: boolean;
}

export function nextStep(facts: Facts): Step {
  switch (facts.purpose) {
    case 'sign-in': {
      const step = nextSignInStep(facts);
      // Last, behind everything that signing in asks for: nobody changes a password who could not come in.
      return step === 'done' && facts.passwordTooShort ? 'new-password' : step;
    }
    case 'confirm':
      return facts.missing[0] ?? nextAfterRecoveryKey(facts);
    case 'enrol':
      if (asksMailbox(facts) && !facts.emailShown) return 'email-code';
      return nextEnrolmentStep(facts, facts.recoveryKeyHeld);
    case 'new-recovery-key':
      if (!facts.emailShown) return 'email-code';
      return facts.newKeyKept ? 'done' : 'recovery-key';
    case 'reset-password':
      return nextResetStep(facts);
    case 'disable':
    case 'verify-email':
    case 'change-email':
      return facts.emailShown ? 'done' : 'email-code';
  }
}

function nextSignInStep(facts: Facts): Step {
  if (facts.protected) {
    // A remembered browser only signs in. Whoever has to set something up shows what they have first (TD-1).
    const spared = facts.deviceTrusted && facts.lacking === 'nothing';
    if (!facts.secondFactorShown && !spared) return 'second-factor';
    if (nextAfterRecoveryKey(facts) !== 'done') return 'recovery-key';
  }
  if (facts.lacking === 'nothing' || (facts.lacking === 'set-up-later' && facts.postponed)) return 'done';
  if (facts.method === 'none') return 'choose-method';
  if (asksMailbox(facts) && !facts.emailShown) return 'email-code';
  // Beside a method that no longer counts stands a Recovery Key, which goes on to serve.
  return nextEnrolmentStep(facts, facts.protected && facts.recoveryKeyHeld);
}

/** Whether the mailbox is asked before a method is set up that says nothing of it. */
function asksMailbox(facts: Facts): boolean {
  if (facts.methodProvesEmail) return false;
  // Whoever talked an administrator out of a code must not set their own phone up with it, whatever the policy.
  if (facts.onlySignedIn) return true;
  // Whoever stole a password must not be the first to set up what a policy asks for (AD-8): not on the way in, and not behind a "Not now".
  return facts.lacking !== 'nothing' && facts.mailFirst && facts.emailVerified && !facts.browserKnown && !facts.secondFactorShown;
}

/** A Recovery Key is used up by use: its next one is kept before anything else. */
function nextAfterRecoveryKey({ recoveryKeyUsed, newKeyKept }: Facts): Step {
  return recoveryKeyUsed && !newKeyKept ? 'recovery-key' : 'done';
}

function nextEnrolmentStep(facts: Facts, recoveryKeyHeld: boolean): Step {
  if (facts.method === 'none' || facts.method === 'chosen') return 'begin-method';
  if (facts.method === 'begun') return 'confirm-method';
  return recoveryKeyHeld || facts.newKeyKept ? 'done' : 'recovery-key';
}

function nextResetStep(facts: Facts): Step {
  // Where the mailbox can be the second factor too, it must not open the account alone: something else is asked for beside it (PR-3).
  if (facts.protected && facts.mailboxSuffices && !facts.secondFactorShown) return 'second-factor';
  return nextAfterRecoveryKey(facts) === 'done' ? 'new-password' : 'recovery-key';
}
