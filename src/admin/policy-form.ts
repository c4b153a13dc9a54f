// The form of a policy: what it shows of one, and what it makes of what was typed. Nothing is kept here; the pages are policy-pages.ts.
import { ROLES, type Organisation, type Role } from '../organisations/organisations.ts';
import type { Queries } from '../platform/database/database.ts';
import { days } from '../platform/durations.ts';
import { parseEmailAddress } from '../platform/mail/address.ts';
import { startOfDay, dayOf } from '../platform/words/times.ts';
import {
  addressesOf,
  DEFAULT_RULES,
  membersOfAddresses,
  METHODS,
  PROOF_MINUTES_LEAST,
  PROOF_MINUTES_MOST,
  TRUSTED_DAYS_MOST,
  TWO_FACTOR_POLICIES,
  type RollOut,
  type Rules,
} from '../policy/policy.ts';

/** As the form has it: text, and what is ticked. */
export interface Fields {
  readonly twoFactor: string;
  readonly roles: readonly Role[];
  readonly from: string;
  readonly graceDays: string;
  readonly rollOut: string;
  readonly percent: string;
  readonly people: string;
  readonly counting: readonly string[];
  readonly mailFirst: boolean;
  readonly sessionIdleMinutes: string;
  readonly sessionHours: string;
  readonly proofMinutes: string;
  readonly trustedDeviceDays: string;
  readonly emailDomains: string;
  readonly resetNeedsApproval: boolean;
  readonly resetWaitHours: string;
  readonly renews: boolean;
}

/** A sentence for each field that can't be as it is. */
export type Mistakes = Partial<Record<keyof Fields, string>>;

const PEOPLE_BYTES_MOST = 30_000;
const PEOPLE_MOST = 200;
const DOMAINS_MOST = 50;
/** Further away, a date is a slip. */
const AHEAD_MOST = days(2 * 366);
const BACK_MOST = days(366);

export async function fieldsOf(queries: Queries, organisation: Organisation, rules: Rules, renews = false): Promise<Fields> {
  const { rollOut } = rules;
  const people = rollOut.kind === 'people' ? await addressesOf(queries, organisation.id, rollOut.accountIds) : [];
  return {
    twoFactor: rules.twoFactor,
    roles: rules.roles,
    from: rules.from === null ? '' : dayOf(rules.from),
    graceDays: String(rules.graceDays),
    rollOut: rollOut.kind,
    percent: rollOut.kind === 'share' ? String(rollOut.percent) : '10',
    people: people.join('\n'),
    counting: METHODS.map(({ kind }) => kind).filter((kind) => !rules.notCounting.includes(kind)),
    mailFirst: rules.mailFirst,
    sessionIdleMinutes: rules.sessionIdleMinutes === null ? '' : String(rules.sessionIdleMinutes),
    sessionHours: rules.sessionHours === null ? '' : String(rules.sessionHours),
    proofMinutes: String(rules.proofMinutes),
    trustedDeviceDays: String(rules.trustedDeviceDays),
    emailDomains: rules.emailDomains.join('\n'),
    resetNeedsApproval: rules.resetNeedsApproval,
    resetWaitHours: String(rules.resetWaitHours),
    renews,
  };
}

/** `read`: a field of the posted form. */
export function readFields(read: (name: string, bytesMost?: number) => string): Fields {
  const ticked = (name: string): boolean => read(name) !== '';
  return {
    twoFactor: read('two-factor'),
    roles: ROLES.filter((role) => ticked(`role-${role}`)),
    from: read('from').trim(),
    graceDays: read('grace-days').trim(),
    rollOut: read('roll-out'),
    percent: read('percent').trim(),
    people: read('people', PEOPLE_BYTES_MOST),
    counting: METHODS.map(({ kind }) => kind).filter((kind) => ticked(`counts-${kind}`)),
    mailFirst: ticked('mail-first'),
    sessionIdleMinutes: read('session-idle-minutes').trim(),
    sessionHours: read('session-hours').trim(),
    proofMinutes: read('proof-minutes').trim(),
    trustedDeviceDays: read('trusted-device-days').trim(),
    emailDomains: read('email-domains'),
    resetNeedsApproval: ticked('reset-approval'),
    resetWaitHours: read('reset-wait-hours').trim(),
    renews: ticked('renews'),
  };
}

/** `before`: the rules that they would take the place of; what the form does not show stays. */
export async function rulesFrom(
  queries: Queries,
  organisation: Organisation,
  { fields, before, now }: { fields: Fields; before: Rules; now: number },
): Promise<{ ok: true; rules: Rules } | { ok: false; mistakes: Mistakes }> {
  const mistakes: { -readonly [Field in keyof Fields]?: string } = {};
  const number = (
    field: 'graceDays' | 'percent' | 'sessionIdleMinutes' | 'sessionHours' | 'proofMinutes' | 'trustedDeviceDays' | 'resetWaitHours',
    [least, most]: readonly [number, number],
  ): number => {
    const value = /^\d{1,6}$/.test(fields[field]) ? Number(fields[field]) : Number.NaN;
    if (value >= least && value <= most) return value;
    mistakes[field] = `Enter a whole number from ${least} to ${most}.`;
    return least;
  };
  const twoFactor = TWO_FACTOR_POLICIES.find((one) => one === fields.twoFactor);
  if (!twoFactor) mistakes.twoFactor = 'Choose one of the three.';
  if (fields.roles.length === 0) mistakes.roles = 'Choose at least one role.';
  if (fields.counting.length === 0) mistakes.counting = 'At least one method has to count, or nobody could get in.';
  const from = dateFrom(fields.from, { now, before: before.from });
  if (from === undefined) mistakes.from = 'Enter a date within the next two years, or leave it empty.';
  const rollOut = await rollOutFrom(queries, organisation, { fields, mistakes, percent: () => number('percent', [1, 99]) });
  const emailDomains = domainsFrom(fields.emailDomains);
  if (typeof emailDomains === 'string') mistakes.emailDomains = emailDomains;
  const rules: Rules = {
    ...before,
    twoFactor: twoFactor ?? DEFAULT_RULES.twoFactor,
    roles: fields.roles,
    from: from ?? null,
    graceDays: number('graceDays', [0, 365]),
    rollOut,
    notCounting: METHODS.map(({ kind }) => kind).filter((kind) => !fields.counting.includes(kind)),
    mailFirst: fields.mailFirst,
    sessionIdleMinutes: fields.sessionIdleMinutes === '' ? null : number('sessionIdleMinutes', [5, 10_080]),
    sessionHours: fields.sessionHours === '' ? null : number('sessionHours', [1, 720]),
    proofMinutes: number('proofMinutes', [PROOF_MINUTES_LEAST, PROOF_MINUTES_MOST]),
    trustedDeviceDays: number('trustedDeviceDays', [0, TRUSTED_DAYS_MOST]),
    emailDomains: typeof emailDomains === 'string' ? [] : emailDomains,
    resetNeedsApproval: fields.resetNeedsApproval,
    // Nobody could stop what happens at once.
    resetWaitHours: fields.resetWaitHours === '' ? before.resetWaitHours : number('resetWaitHours', [1, 336]),
  };
  return Object.keys(mistakes).length > 0 ? { ok: false, mistakes } : { ok: true, rules };
}

/** The beginning of that day in UTC; null where nothing was typed, undefined where it is no date or far off. What stands there already may stay. */
function dateFrom(text: string, { now, before }: { now: number; before: number | null }): number | null | undefined {
  if (text === '') return null;
  if (before !== null && text === dayOf(before)) return before;
  const at = startOfDay(text);
  return at !== undefined && at <= now + AHEAD_MOST && at >= now - BACK_MOST ? at : undefined;
}

async function rollOutFrom(
  queries: Queries,
  organisation: Organisation,
  { fields, mistakes, percent }: { fields: Fields; mistakes: { people?: string; rollOut?: string }; percent: () => number },
): Promise<RollOut> {
  if (fields.rollOut === 'share') return { kind: 'share', percent: percent() };
  if (fields.rollOut === 'people') {
    const found = await peopleFrom(queries, organisation, fields.people);
    if (typeof found !== 'string') return { kind: 'people', accountIds: found };
    mistakes.people = found;
  } else if (fields.rollOut !== 'everybody') mistakes.rollOut = 'Choose one of the three.';
  return { kind: 'everybody' };
}

/** The accounts of these addresses, or what is wrong with the list. */
async function peopleFrom(queries: Queries, organisation: Organisation, text: string): Promise<readonly string[] | string> {
  const written = linesOf(text);
  if (written.length === 0) return 'Enter at least one address of somebody who belongs to the organisation.';
  if (written.length > PEOPLE_MOST) return `Enter at most ${PEOPLE_MOST} addresses. For more people, choose a share of them.`;
  const keys = written.map((one) => parseEmailAddress(one)?.key ?? one.toLowerCase());
  const members = await membersOfAddresses(queries, organisation.id, keys);
  const missing = written.filter((_, index) => !members.has(keys[index]!));
  if (missing.length > 0) return `Nobody in the organisation has the address ${missing[0]!.slice(0, 254)}.`;
  return [...new Set(members.values())].sort();
}

/** What stands in lines, or between commas. */
const linesOf = (text: string): string[] => [
  ...new Set(
    text
      .split(/[\s,;]+/)
      .map((one) => one.trim())
      .filter((one) => one !== ''),
  ),
];

function domainsFrom(text: string): readonly string[] | string {
  const written = linesOf(text).map((one) => one.replace(/^@/, ''));
  if (written.length > DOMAINS_MOST) return `Enter at most ${DOMAINS_MOST} domains.`;
  // As an address has it: the same letters, typed in another way, are the same domain.
  const domains = written.map((one) => parseEmailAddress(`somebody@${one}`)?.key.slice('somebody@'.length));
  const wrong = written.find((_, index) => domains[index] === undefined);
  return wrong === undefined ? [...new Set(domains.map((one) => one!))] : `${wrong.slice(0, 254)} is no domain. Write it as in example.org.`;
}
