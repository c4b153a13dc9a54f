/**
 * What must be true, kept by somebody who knows the mission and nothing of how the portal works: who has which factors, which codes were spent,
 * and in which browser who may be signed in until when. It decides what a command may do, and what has to come of it.
 */
import { days, hours, minutes, seconds } from '../../../src/platform/durations.ts';
import type { AuthenticatorApp } from '../../support/authenticator-app.ts';
import type { Person } from '../../support/person.ts';
import type { Visitor } from '../../support/visitor.ts';

export type Kind = 'email' | 'app' | 'recovery-key';

/** The issue: growing pauses from the 5th failure. */
const PAUSES = [seconds(30), minutes(1), minutes(2), minutes(5), minutes(15), minutes(30), hours(1)];
const FRESH = minutes(10);

export interface Session {
  /** What was shown in it, and when. */
  readonly proofs: Map<'password' | Kind, number>;
  until: number;
  seenAt: number;
}

/** One of the two browsers that a person uses. */
export class Seat {
  readonly browser: Visitor;
  session: Session | undefined;
  /** The account was entered here to the end before. */
  known = false;

  constructor(browser: Visitor) {
    this.browser = browser;
  }
}

export class Account {
  readonly person: Person;
  readonly seats: readonly [Seat, Seat];
  joined = false;
  byEmail = false;
  apps: AuthenticatorApp[] = [];
  /** By the secret. */
  readonly names = new Map<string, string>();
  readonly goneApps: AuthenticatorApp[] = [];
  readonly goneKeys: string[] = [];
  /** The last answer of each kind that was accepted. */
  readonly spent = new Map<Kind, string>();
  readonly failures = new Map<Kind, { count: number; lastAt: number }>();
  readonly mailsAt: number[] = [];
  wrongPasswords = 0;

  constructor(person: Person, seats: readonly [Seat, Seat]) {
    this.person = person;
    this.seats = seats;
  }

  /** Two-factor authentication is on. */
  get on(): boolean {
    return this.byEmail || this.apps.length > 0;
  }

  has(kind: Kind): boolean {
    if (kind === 'recovery-key') return this.on;
    return kind === 'email' ? this.byEmail : this.apps.length > 0;
  }

  get strongest(): Kind {
    return this.apps.length > 0 ? 'app' : 'email';
  }

  /** What is asked for where the mailbox has been shown and does not suffice. */
  get besideMailbox(): Kind {
    return this.apps.length > 0 ? 'app' : 'recovery-key';
  }

  /** So many more mails with a code or a link may be asked for, with some to spare. */
  mayMail(now: number): boolean {
    const within = (span: number): number => this.mailsAt.filter((at) => now - at < span).length;
    return within(minutes(10)) <= 3 && within(hours(1)) <= 11 && within(days(1)) <= 26;
  }

  isPaused(kind: Kind, now: number): boolean {
    const { count, lastAt } = this.failures.get(kind) ?? { count: 0, lastAt: 0 };
    return count >= 5 && now < lastAt + PAUSES[Math.min(count - 5, PAUSES.length - 1)]!;
  }

  fail(kind: Kind, now: number): void {
    this.failures.set(kind, { count: (this.failures.get(kind)?.count ?? 0) + 1, lastAt: now });
  }

  succeed(kind: Kind, answer: string): void {
    this.failures.delete(kind);
    this.spent.set(kind, answer);
  }

  /** The key that replaces the one before, which never opens anything again. */
  keepKey(key: string): void {
    if (this.person.recoveryKey !== undefined && this.person.recoveryKey !== key) this.goneKeys.push(this.person.recoveryKey);
    this.person.recoveryKey = key;
  }

  turnOff(): void {
    this.goneApps.push(...this.apps);
    if (this.person.recoveryKey !== undefined) this.goneKeys.push(this.person.recoveryKey);
    this.apps = [];
    this.byEmail = false;
    this.person.recoveryKey = undefined;
    for (const kind of ['email', 'app', 'recovery-key'] as const) {
      this.failures.delete(kind);
      this.spent.delete(kind);
    }
  }

  endSessions(except?: Seat): void {
    for (const seat of this.seats) if (seat !== except) seat.session = undefined;
  }

  /** Whoever came in with the old password alone is no longer known by that. */
  changePassword(password: string, except?: Seat): void {
    this.person.password = password;
    this.endSessions(except);
    for (const seat of this.seats) if (seat !== except) seat.known = false;
  }

  /** What a change of how one gets in has to ask for again, here and now. */
  missing({ session }: Seat, now: number): { password: boolean; factor: boolean } {
    const fresh = (kind: 'password' | Kind): boolean => now - (session!.proofs.get(kind) ?? -Infinity) < FRESH;
    return { password: !fresh('password'), factor: this.on && !fresh(this.strongest) && !fresh('recovery-key') };
  }
}

export class Ledger {
  policy: 'off' | 'optional' | 'required' = 'optional';
  readonly accounts: readonly Account[];
  readonly now: () => number;

  constructor(accounts: readonly Account[], now: () => number) {
    this.accounts = accounts;
    this.now = now;
  }

  /** What the policy asks of who is signed in already, before anything else. */
  owes(account: Account): boolean {
    return this.policy === 'required' && !account.on;
  }

  isSignedIn({ session }: Seat): boolean {
    return session !== undefined && this.now() < session.until && this.now() < session.seenAt + lifetime(session).idle;
  }

  /** A browser was let in, with all of what was shown for that. */
  enter(seat: Seat, proofs: Session['proofs']): void {
    const now = this.now();
    seat.session = { proofs, seenAt: now, until: 0 };
    seat.session.until = now + lifetime(seat.session).absolute;
    seat.known = true;
  }

  /** More was shown. A session that has come to a higher level ends by the limits of that one. */
  raise({ session }: Seat, ...proofs: (readonly ['password' | Kind, number])[]): void {
    for (const [kind, at] of proofs) session!.proofs.set(kind, at);
    session!.until = Math.min(session!.until, this.now() + lifetime(session!).absolute);
  }

  /** A page was fetched. "Last seen" is written once a minute. */
  see({ session }: Seat): void {
    if (session && this.now() - session.seenAt >= minutes(1)) session.seenAt = this.now();
  }
}

/** SE-4: with a real second factor a day, and an hour unused; without, 30 days and a week. */
function lifetime({ proofs }: Session): { absolute: number; idle: number } {
  return proofs.has('app') || proofs.has('recovery-key') ? { absolute: hours(24), idle: hours(1) } : { absolute: days(30), idle: days(7) };
}
