// What a policy says, in words for people who are no engineers: on the page, in its history, and in the audit log.
import { factorOf } from '../factors/factors.ts';
import { ROLES, type Role } from '../organisations/organisations.ts';
import { dateOf } from '../platform/words/times.ts';
import { METHODS } from './rules.ts';
import type { Rules, TwoFactorPolicy } from './demand.ts';

export const TWO_FACTOR_WORDS: Readonly<Record<TwoFactorPolicy, string>> = { off: 'Off', optional: 'Optional', required: 'Required' };
export const ROLES_IN_PLURAL: Readonly<Record<Role, string>> = { owner: 'Owner', admin: 'Admins', auditor: 'Auditors', member: 'Members' };

interface Saying {
  readonly label: string;
  readonly value: string;
}

/** Everything that a policy says, in the order of its form. */
export function sayingsOf(rules: Rules): readonly Saying[] {
  return [
    { label: 'Two-factor authentication', value: TWO_FACTOR_WORDS[rules.twoFactor] },
    { label: 'Required of', value: rules.roles.length === ROLES.length ? 'Everybody' : rules.roles.map((role) => ROLES_IN_PLURAL[role]).join(', ') },
    { label: 'Required from', value: rules.from === null ? 'At once' : dateOf(rules.from) },
    { label: 'Time for who joins later', value: rules.graceDays === 0 ? 'None' : count(rules.graceDays, 'day') },
    { label: 'Asked first', value: rollOutOf(rules) },
    {
      label: 'Methods that count',
      value: METHODS.filter(({ kind }) => !rules.notCounting.includes(kind))
        .map(({ kind }) => factorOf(kind).words.name)
        .join(', '),
    },
    { label: 'Set-up in a browser that is new to the account', value: rules.mailFirst ? 'Asks for an emailed code first' : 'Asks for no emailed code' },
    { label: 'Signed out when unused for', value: rules.sessionIdleMinutes === null ? AS_THE_METHOD : count(rules.sessionIdleMinutes, 'minute') },
    { label: 'Signed in for at most', value: rules.sessionHours === null ? AS_THE_METHOD : count(rules.sessionHours, 'hour') },
    { label: 'Changes ask for a proof that is no older than', value: count(rules.proofMinutes, 'minute') },
    { label: 'A device is trusted for', value: rules.trustedDeviceDays === 0 ? 'Never' : count(rules.trustedDeviceDays, 'day') },
    { label: 'Email domains that may join', value: rules.emailDomains.length === 0 ? 'Any' : rules.emailDomains.join(', ') },
    { label: 'Reset of somebody’s methods', value: resetOf(rules) },
  ];
}

const AS_THE_METHOD = 'As long as the method is good for';

function rollOutOf({ rollOut }: Rules): string {
  switch (rollOut.kind) {
    case 'everybody':
      return 'Everybody at once';
    case 'share':
      return `${rollOut.percent} of 100 people`;
    case 'people':
      return rollOut.accountIds.length === 1 ? 'One person by name' : `${rollOut.accountIds.length} people by name`;
  }
}

function resetOf({ resetNeedsApproval, resetWaitHours }: Rules): string {
  const waits = resetWaitHours === 0 ? 'At once' : `After ${count(resetWaitHours, 'hour')}`;
  return resetNeedsApproval ? `${waits}, and a second administrator has to agree` : waits;
}

const count = (number: number, unit: string): string => `${number} ${unit}${number === 1 ? '' : 's'}`;

export interface Difference extends Saying {
  readonly before: string;
}

export function differencesOf(before: Rules, after: Rules): readonly Difference[] {
  const old = sayingsOf(before);
  const different = sayingsOf(after)
    .map((one, index) => ({ ...one, before: old[index]!.value }))
    .filter((one) => one.value !== one.before);
  // Other people by name, as many as before.
  const others = JSON.stringify(before.rollOut) !== JSON.stringify(after.rollOut) && !different.some(({ label }) => label === 'Asked first');
  return others ? [...different, { label: 'Asked first', before: rollOutOf(before), value: `${rollOutOf(after)}, others than before` }] : different;
}

/** In one line, for the record. */
export const differencesInWords = (before: Rules, after: Rules): string =>
  differencesOf(before, after)
    .map(({ label, before: was, value }) => `${label}: ${value} (was: ${was})`)
    .join('; ');
