// The pages of an attempt's steps, the same for whoever began it. A page asks where the attempt is and leads there; none knows the next.
import type { Account } from '../accounts/accounts.ts';
import { findAccount, knowsBrowser, lockAccount } from '../accounts/accounts.ts';
import { factorOf, recoveryKeyFile } from '../factors/factors.ts';
import type { Queries, Transaction } from '../platform/database/database.ts';
import { file, page, redirect, type Answer, type Visit, type Web } from '../platform/http/visit.ts';
import type { World } from '../platform/world.ts';
import { readDemand } from '../policy/policy.ts';
import type { Proofs } from '../sessions/sessions.ts';
import {
  findAccountOf,
  findAttempt,
  methodsToSetUp,
  progressOf,
  readSituation,
  saveAttempt,
  type Attempt,
  type Holder,
  type Situation,
  type Surroundings,
} from './attempt.ts';
import { methodNameFrom } from './method-name.ts';
import type { Purpose, Step } from './next-step.ts';
import * as pages from './pages.ts';
import * as steps from './steps.ts';

/** One kind of attempt and where its pages are. */
export interface Journey<Context> {
  readonly purpose: Purpose;
  /** The address of each step that it can be at. */
  readonly addresses: Readonly<Partial<Record<Step, string>>>;
  /** Where to go when there is no attempt, or it came to nothing. */
  readonly lost: string;
  /** Said there to who answers a step of an attempt that is over. */
  readonly lostNotice?: string;
  holder(visit: Visit, context: Context): Holder | undefined;
  sessionProofs(context: Context): Proofs;
  /** What the last step brings, in the same transaction; what it returns is done once that is committed. */
  finish(transaction: Transaction, situation: Situation, visit: Visit, context: Context): Promise<() => Answer>;
  /** How the page that takes the emailed code ends: "Continue", or "Finish" where nothing follows. */
  readonly codeButton?: string;
  /** The way out: its label and address. */
  readonly leave: { readonly label: string; readonly address: string };
  /** Where somebody goes whose address has a slip in it, so that no code can come. */
  readonly otherAddress?: string;
  /** Where somebody asks for help who can show none of what is asked for; undefined where nobody can help. */
  readonly help?: string;
}

/** The outcome of one action on an attempt. */
type Done =
  | { kind: 'elsewhere'; address: string; /** There is no such attempt any more. */ lost: boolean }
  | { kind: 'refused'; situation: Situation; refusal: pages.Refusal }
  | { kind: 'finished'; answer: () => Answer };

type Action = (transaction: Transaction, situation: Situation) => Promise<Extract<steps.StepAnswer, { ok: true }> | ({ ok: false } & pages.Refusal)>;

export function mountJourney<Context>(web: Web<Context>, world: World, journey: Journey<Context>): void {
  const { addresses } = journey;
  const mount: Mount = (step, render, actions) => {
    const address = addresses[step];
    if (address === undefined) return;
    web.get(address, async (visit, context) => {
      const situation = await read(world, journey, visit, context);
      if (situation?.step !== step) return redirect(addressOf(journey, situation));
      return render(visit, situation);
    });
    for (const [path, action] of Object.entries(actions)) {
      web.post(address + path, async (visit, context) => {
        const done = await act(world, journey, { visit, context, step, action: action(visit) });
        if (done.kind === 'elsewhere') {
          if (done.lost && journey.lostNotice !== undefined) visit.setCookie('notice', journey.lostNotice);
          return redirect(done.address);
        }
        return done.kind === 'finished' ? done.answer() : render(visit, done.situation, done.refusal);
      });
      // What was refused is shown at this address, and may be fetched again: by a browser that was closed and reopened, say.
      if (path !== '' && path !== OTHER) web.get(address + path, async () => redirect(address));
    }
  };
  const frame = (visit: Visit, situation: Situation, step: Step): pages.Frame => ({
    installation: world.installation,
    formToken: visit.formToken,
    address: addresses[step]!,
    now: world.clock.now(),
    leave: journey.leave,
    otherAddress: journey.otherAddress,
    help: journey.help,
    again: journey.lost,
    progress: progressOf(situation),
    language: situation.account.language,
    signedIn: situation.attempt.sessionId !== null,
  });

  mountSecondFactor(web, world, journey, frame, mount);
  mount(
    'email-code',
    (visit, situation, refusal) =>
      show(
        pages.emailCode(frame(visit, situation, 'email-code'), situation, { refusal, answer: visit.field('code'), button: journey.codeButton ?? 'Continue' }),
        refusal,
      ),
    {
      '': (visit) => (transaction, situation) => steps.answerEmailCode(world, transaction, situation, { answer: visit.field('code'), from: visit }),
      '/send': (visit) => (transaction, situation) => steps.sendEmailCode(world, transaction, situation, visit),
    },
  );
  mountMethod(world, journey, frame, mount);
  mountRecoveryKey(web, world, journey, frame, mount);
}

/** "Try another way": a page of its own at the same step. */
const OTHER = '/other';

type Mount = (
  step: Step,
  show: (visit: Visit, situation: Situation, refusal?: pages.Refusal) => Answer,
  actions: Record<string, (visit: Visit) => Action>,
) => void;
type FrameOf = (visit: Visit, situation: Situation, step: Step) => pages.Frame;

function mountSecondFactor<Context>(web: Web<Context>, world: World, journey: Journey<Context>, frame: FrameOf, mount: Mount): void {
  const address = journey.addresses['second-factor'];
  if (address === undefined) return;
  const showOthers = (visit: Visit, situation: Situation, refusal?: pages.Refusal) =>
    show(pages.chooseFactor(frame(visit, situation, 'second-factor'), situation, steps.choices(situation), refusal), refusal);
  mount(
    'second-factor',
    (visit, situation, refusal) =>
      refusal?.reason === 'choice-unknown' || steps.asked(situation) === undefined
        ? showOthers(visit, situation, refusal)
        : show(
            pages.secondFactor(frame(visit, situation, 'second-factor'), situation, {
              refusal,
              answer: visit.field('code'),
              others: steps.choices(situation).length > 1,
              remembers: visit.field('remember') !== '',
            }),
            refusal,
          ),
    {
      '': (visit) => (transaction, situation) =>
        steps.answerSecondFactor(world, transaction, situation, { answer: visit.field('code'), from: visit, remembers: visit.field('remember') !== '' }),
      '/send': (visit) => (transaction, situation) => steps.sendChallenge(world, transaction, situation, visit),
      [OTHER]: (visit) => async (transaction, situation) => {
        const kind = visit.field('method');
        if (!steps.choices(situation).includes(kind)) return { ok: false, reason: 'choice-unknown' };
        return { ok: true, attempt: await steps.ask(world, transaction, situation, { kind, from: visit }) };
      },
    },
  );
  web.get(address + OTHER, async (visit, context) => {
    const situation = await read(world, journey, visit, context);
    if (situation?.step !== 'second-factor') return redirect(addressOf(journey, situation));
    return showOthers(visit, situation);
  });
}

function mountMethod<Context>(world: World, journey: Journey<Context>, frame: FrameOf, mount: Mount): void {
  mount('choose-method', (visit, situation, refusal) => show(pages.chooseMethod(frame(visit, situation, 'choose-method'), situation, refusal), refusal), {
    '':
      (visit) =>
      async (transaction, { attempt, account, policy }) => {
        const kind = visit.field('method');
        if (!methodsToSetUp(account, policy.demand).includes(kind)) return { ok: false, reason: 'choice-unknown' };
        const method = { kind, name: factorOf(kind).words.name, replaces: null, pending: null, state: null };
        return { ok: true, attempt: await saveAttempt(world, transaction, attempt, { method }) };
      },
    // "Not now": only while there is time left, which next-step.ts decides.
    '/later':
      () =>
      async (transaction, { attempt }) => ({ ok: true, attempt: await saveAttempt(world, transaction, attempt, { postponed: true }) }),
  });
  mount(
    'begin-method',
    (visit, situation, refusal) =>
      show(
        pages.beginMethod(frame(visit, situation, 'begin-method'), situation, {
          refusal,
          answer: visit.field('name'),
          back: journey.addresses['choose-method'] !== undefined,
        }),
        refusal,
      ),
    {
      '': (visit) => async (transaction, situation) => {
        const typed = visit.field('name');
        // Only where there are several is a name asked for; left empty, it stays what it is.
        const name = typed.trim() === '' ? situation.attempt.state.method!.name : methodNameFrom(typed);
        if (name === undefined) return { ok: false, reason: 'name-refused' };
        const method = { ...situation.attempt.state.method!, name };
        return steps.beginMethod(world, transaction, { ...situation, attempt: await saveAttempt(world, transaction, situation.attempt, { method }) }, visit);
      },
      '/back':
        () =>
        async (transaction, { attempt }) => ({ ok: true, attempt: await saveAttempt(world, transaction, attempt, { method: null }) }),
    },
  );
  mount(
    'confirm-method',
    (visit, situation, refusal) =>
      show(pages.confirmMethod(frame(visit, situation, 'confirm-method'), situation, { refusal, answer: visit.field('code') }), refusal),
    {
      '': (visit) => (transaction, situation) => steps.answerMethod(world, transaction, situation, { answer: visit.field('code'), from: visit }),
      '/send': (visit) => (transaction, situation) => steps.beginMethod(world, transaction, situation, visit),
      '/back':
        () =>
        async (transaction, { attempt }) => ({
          ok: true,
          attempt: await saveAttempt(world, transaction, attempt, { method: { ...attempt.state.method!, pending: null } }),
        }),
    },
  );
}

function mountRecoveryKey<Context>(web: Web<Context>, world: World, journey: Journey<Context>, frame: FrameOf, mount: Mount): void {
  const address = journey.addresses['recovery-key'];
  if (address === undefined) return;
  mount(
    'recovery-key',
    (visit, situation, refusal) =>
      show(
        pages.recoveryKey(frame(visit, situation, 'recovery-key'), situation, {
          key: steps.keyToKeep(world, situation.attempt, visit.browserToken).key,
          refusal,
        }),
        refusal,
      ),
    {
      '':
        (visit) =>
        (transaction, { attempt }) =>
          steps.keepKey(world, transaction, attempt, visit.field('saved') !== ''),
    },
  );
  web.get(`${address}/download`, async () => redirect(address));
  // A form that is posted, so that it works without JavaScript and no address ever holds the key.
  web.post(`${address}/download`, async (visit, context) => {
    const situation = await read(world, journey, visit, context);
    if (situation?.step !== 'recovery-key') return redirect(addressOf(journey, situation));
    const { name, origin } = world.installation;
    const attempt = await world.database.transaction((transaction) => steps.markKeySaved(world, transaction, situation.attempt));
    const { key, madeAt } = steps.keyToKeep(world, attempt, visit.browserToken);
    return file(
      'recovery-key.txt',
      'text/plain; charset=utf-8',
      recoveryKeyFile({ installationName: name, origin, email: situation.account.email, key, madeAt }),
    );
  });
}

/** Reads where the attempt is, without changing anything. */
async function read<Context>(world: World, journey: Journey<Context>, visit: Visit, context: Context): Promise<Situation | undefined> {
  const holder = journey.holder(visit, context);
  const attempt = holder && (await findAttempt(world, world.database.query, holder, journey.purpose));
  return (
    attempt && situationOf(world, { queries: world.database.query, attempt, browserToken: visit.browserToken, sessionProofs: journey.sessionProofs(context) })
  );
}

export async function situationOf(
  world: World,
  { queries, attempt, ...about }: { queries: Queries; attempt: Attempt; browserToken: string; sessionProofs: Proofs },
): Promise<Situation | undefined> {
  const account = await findAccount(queries, attempt.accountId);
  return account && readSituation(world, queries, attempt, await surroundingsOf(world, { queries, account, ...about }));
}

/** What no step changes: only finishing does. */
async function surroundingsOf(
  world: World,
  { queries, account, browserToken, sessionProofs }: { queries: Queries; account: Account; browserToken: string; sessionProofs: Proofs },
): Promise<Surroundings> {
  const policy = await readDemand(queries, account.id);
  return { account, policy, browserKnown: await knowsBrowser(world, queries, account.id, browserToken), sessionProofs };
}

function addressOf<Context>(journey: Journey<Context>, situation: Situation | undefined): string {
  return (situation && journey.addresses[situation.step]) ?? journey.lost;
}

function elsewhere<Context>(journey: Journey<Context>, situation: Situation | undefined): Done {
  return { kind: 'elsewhere', address: addressOf(journey, situation), lost: situation === undefined };
}

/** One action at one step: reads, acts, asks what comes next and, where that is 'done', finishes, all in one transaction. */
async function act<Context>(
  world: World,
  journey: Journey<Context>,
  { visit, context, step, action }: { visit: Visit; context: Context; step: Step; action: Action },
): Promise<Done> {
  const holder = journey.holder(visit, context);
  if (!holder) return elsewhere(journey, undefined);
  return world.database.transaction(async (transaction): Promise<Done> => {
    const accountId = await findAccountOf(world, transaction, holder, journey.purpose);
    const account = accountId === undefined ? undefined : await lockAccount(transaction, accountId);
    // Read only once the account is ours: whoever had it until now may have gone on with the attempt, or ended it.
    const attempt = account && (await findAttempt(world, transaction, holder, journey.purpose));
    if (!attempt) return elsewhere(journey, undefined);
    const about = { queries: transaction, account, browserToken: visit.browserToken, sessionProofs: journey.sessionProofs(context) };
    const surroundings = await surroundingsOf(world, about);
    const situation = await readSituation(world, transaction, attempt, surroundings);
    // A policy may have come to ask for less since the page was shown: whatever was pressed on it, nobody starts again.
    if (situation.step === 'done') return { kind: 'finished', answer: await journey.finish(transaction, situation, visit, context) };
    if (situation.step !== step) return elsewhere(journey, situation);
    const acted = await action(transaction, situation);
    if (!acted.ok) return { kind: 'refused', situation, refusal: acted };
    const next = await readSituation(world, transaction, acted.attempt, { ...surroundings, enrolled: acted.enrolled });
    if (next.step === 'done') return { kind: 'finished', answer: await journey.finish(transaction, next, visit, context) };
    return elsewhere(journey, next);
  });
}

/** The status says what the page says: 429 where waiting helps, 422 where the answer has to be another. */
function show(html: ReturnType<typeof pages.emailCode>, refusal: pages.Refusal | undefined): Answer {
  if (!refusal) return page(html);
  const waits = refusal.reason === 'too-many-tries' || refusal.reason === 'too-many-mails' || refusal.reason === 'too-soon';
  return page(html, waits ? 429 : 422);
}
