/**
 * What every second factor is. A factor is one folder and one line in registry.ts; it owns its words, settings, pages, refusals,
 * delivery, what it proves, and the shape of its state, which shared tables keep sealed.
 * Its functions do nothing to the world: they get values, now and randomness, and return what is to be kept and sent.
 * Counting tries, storing state under compare-and-set, and sending messages is done by whoever calls, the same for all.
 */
import type { Html } from '../platform/html/html.ts';
import type { Message } from '../platform/mail/message.ts';
import type { HashPurpose } from '../platform/secrets/keys.ts';
import type { Random } from '../platform/world.ts';
import type { z } from 'zod';

/** What a factor's functions may use. All values, or pure. */
export interface Tools {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly random: Random;
  readonly hash: (purpose: HashPurpose, ...parts: string[]) => string;
  /** The installation's name, for labels and mails. */
  readonly installationName: string;
  readonly origin: string;
}

/** The account as a factor needs to know it. */
export interface Person {
  readonly accountId: string;
  readonly name: string;
  /** The verified address; where mail goes. */
  readonly email: string;
  readonly language: string;
}

/** For what a code is asked. A code made for one is refused for another. */
export interface Occasion {
  /** The attempt's id, which only the browser that began it can present. */
  readonly attemptId: string;
  readonly purpose: string;
  /** A sentence for the mail: "to sign in". */
  readonly reason: string;
  /** From where it was asked, for the mail. */
  readonly userAgent: string;
  readonly address: string;
}

export interface Enrolled<State> {
  readonly id: string;
  readonly name: string;
  readonly state: State;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

export type Verified<State> =
  | {
      readonly ok: true;
      /** Which of the enrolled ones the answer was of. */
      readonly id: string;
      /** Replaces the stored state, but only if that is unchanged: this is what makes a code serve once. */
      readonly state: State;
    }
  | { readonly ok: false; readonly reason: FactorRefusal };

/** `code-malformed` spends no try; the others do. */
export type FactorRefusal = 'code-malformed' | 'code-wrong' | 'code-expired' | 'code-used';

export interface Factor<State = never, Pending = never, Challenge = never> {
  readonly kind: string;
  /** How strong, for "the strongest factor that the account has" and for the order in the picker: higher first. */
  readonly strength: number;
  /** AL-1 to AL-3: 2 only for a real second factor. */
  readonly assurance: 1 | 2;
  /** Values of RFC 8176, or documented private ones. */
  readonly amr: readonly string[];
  /** How many of it an account can have. */
  readonly most: number;
  /** True where having it turns two-factor authentication on; the Recovery Key alone does not. */
  readonly stands: boolean;
  /**
   * It stays and serves again; it is used up, and the person keeps the next one before going on (the Recovery Key); or it is used up and gone.
   * What stands stays.
   */
  readonly afterUse: 'stays' | 'replaced' | 'gone';
  /**
   * Where it serves to sign in and is no proof for anything else: how long a session that was opened with it lasts at most, in milliseconds.
   * Undefined for what its owner holds.
   */
  readonly signsInOnly: { readonly sessionLasts: number } | undefined;
  /** From when on it is worth nothing, and is shown and listed nowhere; undefined where that is never. */
  endsAt?(state: State): number;
  /** True where showing it shows that the person reads the account's mailbox. */
  readonly provesEmail: boolean;
  /** How many tries one challenge allows, whatever is sent anew; undefined where only the account's own limit counts. */
  readonly triesPerAttempt: number | undefined;
  readonly words: FactorWords;

  /** The shapes that are stored, sealed. A release must read what the last one wrote. */
  readonly state: z.ZodType<State>;
  readonly pending: z.ZodType<Pending>;
  readonly challengeState: z.ZodType<Challenge>;

  /** Starts an enrolment that `confirm` ends. Where it sends something, `messages` has it. */
  begin(tools: Tools, person: Person, occasion: Occasion): { pending: Pending; messages: readonly Message[] };
  /** The state to store once `answer` shows that the person has the new factor. */
  confirm(tools: Tools, pending: Pending, answer: string): { ok: true; state: State } | { ok: false; reason: FactorRefusal };

  /** Undefined where there is nothing to send or remember before asking. */
  readonly challenge: ((tools: Tools, person: Person, occasion: Occasion) => { challenge: Challenge; messages: readonly Message[] }) | undefined;
  /** False for what can't be an answer at all (a letter in a code, say): it spends no try. */
  wellFormed(answer: string): boolean;
  /** Compares one answer with all that are enrolled; one try, however many. */
  verify(
    tools: Tools,
    input: { enrolled: readonly Enrolled<State>[]; challenge: Challenge | undefined; answer: string; person: Person; occasion: Occasion },
  ): Verified<State>;

  readonly pages: FactorPages<State, Pending>;
}

export interface FactorWords {
  /** "Authenticator app" */
  readonly name: string;
  /** What the button says that sets it up: "Enable With Authenticator App". */
  readonly enable: string;
  /** One line of the picker: "Enter the six digits that your app shows." */
  readonly invitation: string;
  /** The label of the field: "Verification code" or "Recovery Key". */
  readonly label: string;
  /** Shown behind the name where the factor is weak: "weakest". */
  readonly caution: string | undefined;
  refusal(reason: FactorRefusal): string;
}

export interface FactorPages<State, Pending> {
  /** The heading and the sentences of the page that asks for it. The field and the button below are the same for all. */
  ask(input: {
    person: Person;
    enrolled: readonly Enrolled<State>[];
    installationName: string;
    /** False where what it sends has not been sent: too many mails went out before, say. */
    sent: boolean;
  }): { heading: string; body: Html };
  /** The page before setting it up: what it is, what is needed. `button` ends it. */
  begin(input: { person: Person; installationName: string }): { heading: string; body: Html; button: string };
  /** The page, or dialog, that shows what is to be scanned or says what was sent, and asks for the first code. */
  confirm(input: { person: Person; pending: Pending; installationName: string }): { heading: string; body: Html; button: string; dialog: boolean };
  readonly icon: Html;
}

/** A factor whose shapes are its own business. */
export type AnyFactor = Factor<unknown, unknown, unknown>;
