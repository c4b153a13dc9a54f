/** The commands of which the random sequences are made. Each runs only where the ledger says that it can. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { days, hours, minutes, seconds } from '../../../src/platform/durations.ts';
import * as actions from './actions.ts';
import type { At } from './actions.ts';
import * as attacks from './attacks.ts';
import { checkInvariants } from './invariants.ts';
import { Seat, type Account, type Kind, type Ledger } from './ledger.ts';
import type { Scene, Weather } from './scene.ts';

interface What {
  readonly name: string;
  readonly who: number;
  readonly where: number;
  readonly kind: Kind;
  readonly pick: number;
  readonly weather: Weather;
}

interface Doing {
  /** Whether it can be done now. */
  can(account: Account, seat: Seat, ledger: Ledger, what: What): boolean;
  /** Does it; returns the events that it has to have written. */
  run(at: At, what: What): Promise<string[]>;
}

const now = (ledger: Ledger): number => ledger.now();
const inside = (account: Account, seat: Seat, ledger: Ledger): boolean =>
  account.joined && ledger.isSignedIn(seat) && account.mayMail(now(ledger)) && !account.isPaused(account.strongest, now(ledger));
const outside = (account: Account, seat: Seat, ledger: Ledger): boolean => account.joined && !ledger.isSignedIn(seat) && account.mayMail(now(ledger));
const asksFor = (account: Account, seat: Seat, ledger: Ledger, kind: Kind): boolean => outside(account, seat, ledger) && account.on && account.has(kind);

const DOINGS: Readonly<Record<string, Doing>> = {
  'enable by email': {
    can: (account, seat, ledger) => inside(account, seat, ledger) && !account.byEmail && ledger.policy !== 'off',
    run: (at) => actions.enable(at, 'email'),
  },
  'enable by app': {
    can: (account, seat, ledger) => inside(account, seat, ledger) && account.apps.length < 5 && ledger.policy !== 'off',
    run: (at) => actions.enable(at, 'app'),
  },
  'remove app': {
    can: (account, seat, ledger) => inside(account, seat, ledger) && account.apps.length > 0,
    run: (at, { pick }) => actions.removeApp(at, pick),
  },
  'new phone': {
    can: (account, seat, ledger) => inside(account, seat, ledger) && account.apps.length > 0,
    run: (at, { pick }) => actions.replaceApp(at, pick),
  },
  disable: { can: (account, seat, ledger) => inside(account, seat, ledger) && account.on, run: (at) => actions.disable(at) },
  'new Recovery Key': { can: (account, seat, ledger) => inside(account, seat, ledger) && account.on, run: (at) => actions.newRecoveryKey(at) },
  'change password': { can: (account, seat, ledger) => inside(account, seat, ledger) && !ledger.owes(account), run: (at) => actions.changePassword(at) },
  'reset password': {
    can: (account, _seat, ledger) => account.joined && account.mayMail(now(ledger)) && !account.isPaused(account.besideMailbox, now(ledger)),
    run: (at, { pick }) => actions.resetPassword(at, pick),
  },
  'sign in': {
    can: (account, seat, ledger, { kind }) => outside(account, seat, ledger) && (!account.on || (account.has(kind) && !account.isPaused(kind, now(ledger)))),
    run: (at, { kind, pick }) => actions.signIn(at, kind, pick),
  },
  // Within the time in which a code is good, which most commands let pass.
  'sign in, overlooked': {
    can: (account, seat, ledger, { kind }) => asksFor(account, seat, ledger, kind) && !account.isPaused(kind, now(ledger)),
    async run(at, { kind, pick }) {
      const events = await actions.signIn(at, kind, pick);
      return [...events, ...(await attacks.spentAnswer({ ...at, seat: new Seat(at.scene.browser()) }, kind))];
    },
  },
  'sign in under the policy': {
    can: (account, seat, ledger) => outside(account, seat, ledger) && !account.on,
    async run(at, { kind, pick }) {
      await at.scene.portal.setPolicy('required');
      at.scene.ledger.policy = 'required';
      return ['policy_changed', ...(await actions.signIn(at, kind, pick))];
    },
  },
  'sign out': { can: (account, seat, ledger) => account.joined && ledger.isSignedIn(seat), run: (at) => actions.signOut(at) },
  'wrong answer': {
    can: (account, seat, ledger, { kind }) => asksFor(account, seat, ledger, kind) && (account.failures.get(kind)?.count ?? 0) < 12,
    run: (at, { kind, pick }) => attacks.wrongAnswer(at, kind, pick),
  },
  'spent answer': {
    can: (account, seat, ledger, { kind }) => asksFor(account, seat, ledger, kind) && account.spent.has(kind),
    run: (at, { kind }) => attacks.spentAnswer(at, kind),
  },
  'gone app': {
    can: (account, seat, ledger) => outside(account, seat, ledger) && account.on && account.goneApps.length > 0,
    run: (at, { pick }) => attacks.goneAnswer(at, 'app', pick),
  },
  'gone key': {
    can: (account, seat, ledger) => outside(account, seat, ledger) && account.on && account.goneKeys.length > 0,
    run: (at, { pick }) => attacks.goneAnswer(at, 'recovery-key', pick),
  },
  'wrong password': { can: (account, seat, ledger) => outside(account, seat, ledger) && account.wrongPasswords < 2, run: (at) => attacks.wrongPassword(at) },
  'thief of the password': {
    can: (account, seat, ledger) => outside(account, seat, ledger) && (account.on || ledger.policy === 'required'),
    run: (at) => attacks.thiefOfPassword(at),
  },
  policy: {
    can: () => true,
    async run({ scene }, { pick }) {
      const policy = (['off', 'optional', 'required'] as const)[pick % 3]!;
      await scene.portal.setPolicy(policy);
      scene.ledger.policy = policy;
      return ['policy_changed'];
    },
  },
  time: {
    can: () => true,
    async run({ scene }, { pick }) {
      const times = [
        seconds(20),
        seconds(45),
        minutes(3),
        minutes(3),
        minutes(11),
        minutes(11),
        minutes(40),
        minutes(65),
        minutes(65),
        hours(25),
        days(8),
        days(31),
      ];
      const time = times[pick % times.length]!;
      scene.portal.clock.advance(time);
      if (time >= hours(25)) for (const account of scene.ledger.accounts) account.wrongPasswords = 0;
      return [];
    },
  },
  restart: {
    can: () => true,
    async run({ scene }) {
      await scene.portal.restart();
      return [];
    },
  },
};

/** How often each comes, beside once. */
const WEIGHTS: Readonly<Record<string, number>> = {
  join: 3,
  'sign in': 6,
  'enable by app': 3,
  'enable by email': 2,
  time: 3,
  'wrong answer': 2,
  'spent answer': 2,
};

class Command implements fc.AsyncCommand<Ledger, Scene> {
  readonly #what: What;

  constructor(what: What) {
    this.#what = what;
  }

  check(ledger: Readonly<Ledger>): boolean {
    const account = ledger.accounts[this.#what.who]!;
    return DOINGS[this.#what.name]!.can(account, account.seats[this.#what.where]!, ledger, this.#what);
  }

  async run(ledger: Ledger, scene: Scene): Promise<void> {
    const account = ledger.accounts[this.#what.who]!;
    scene.begin(this.#what.weather);
    const events = await DOINGS[this.#what.name]!.run({ scene, account, seat: account.seats[this.#what.where]! }, this.#what);
    scene.begin({ crashBefore: undefined, fault: undefined });
    await checkInvariants(scene, events);
  }

  /** For the report of a failure. */
  toString(): string {
    const { name, who, where, kind, pick, weather } = this.#what;
    const { crashBefore, fault } = weather;
    const storm = `${crashBefore === undefined ? '' : `, crash before form ${crashBefore}`}${fault ? `, operation ${fault.operation} of form ${fault.form} fails` : ''}`;
    return `${name}(person ${who}, browser ${where}, ${kind}, ${pick}${storm})`;
  }
}

const weather: fc.Arbitrary<Weather> = fc.record({
  crashBefore: fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }) }),
  fault: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.record({ form: fc.integer({ min: 1, max: 5 }), operation: fc.integer({ min: 1, max: 25 }) }) },
  ),
});

export const commands: readonly fc.Arbitrary<Command>[] = Object.keys(DOINGS).flatMap((name) => {
  const one = fc
    .record({
      who: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constant(1) }),
      where: fc.constantFrom(0, 1),
      kind: fc.constantFrom('email' as const, 'app' as const, 'recovery-key' as const),
      pick: fc.nat({ max: 999_999 }),
      weather,
    })
    .map((what) => new Command({ name, ...what }));
  return Array.from({ length: WEIGHTS[name] ?? 1 }, () => one);
});

/** How each person starts, so that sequences need not begin with getting there. */
export const beginnings = fc.tuple(fc.subarray(['email', 'app', 'app'] as const), fc.subarray(['email', 'app'] as const));

export async function begin(scene: Scene, ways: readonly (readonly ('email' | 'app')[])[]): Promise<void> {
  for (const [index, account] of scene.ledger.accounts.entries()) {
    const at = { scene, account, seat: account.seats[0] };
    const events = await actions.join(at);
    for (const way of ways[index]!) events.push(...(await actions.enable(at, way)));
    await checkInvariants(scene, events);
    scene.portal.clock.advance(minutes(5));
  }
}

/** After all of it: whoever has a password and, where it is needed, their Recovery Key, gets in. */
export async function assertNobodyIsLockedOut(scene: Scene): Promise<void> {
  // The longest pause, and the time for which an attempt holds a key that it has begun to use.
  scene.portal.clock.advance(hours(1));
  for (const account of scene.ledger.accounts.filter((one) => one.joined)) {
    const browser = scene.browser();
    await account.person.enterPassword(browser);
    if (account.on) {
      await account.person.chooseWay('recovery-key', browser);
      browser.fill('Recovery Key', account.person.recoveryKey!);
      await browser.press('Continue');
      await account.person.keepRecoveryKey(browser);
    }
    if (!account.on && scene.ledger.policy === 'required') actions.expectHeading(browser, 'Set up two-factor authentication');
    else assert.ok(browser.page.hasButton('Profile'), `${account.person.email} is locked out: ${browser.page.text}`);
  }
}
