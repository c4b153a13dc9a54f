// The rules of a Security Policy as programs read and send them.
import { z } from 'zod';
import { ROLES, type Organisation } from '../organisations/organisations.ts';
import { dayOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { addressesOf, METHODS, TWO_FACTOR_POLICIES, type Rules } from '../policy/policy.ts';
import type { Fields } from './policy-form.ts';

export const PEOPLE_MOST = 200;
const EMAIL_CHARACTERS_MOST = 254;

const KINDS = METHODS.map(({ kind }) => kind) as [string, ...string[]];

const rulesFields = {
  twoFactor: z.enum(TWO_FACTOR_POLICIES),
  roles: z.array(z.enum(ROLES)).max(ROLES.length).describe('Of whom two-factor authentication is required'),
  from: z.iso.date().nullable().describe('From which day on, in UTC; null: at once'),
  graceDays: z.int().describe('How many days somebody has who joins'),
  rollOut: z
    .discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('everybody') }),
      z.strictObject({ kind: z.literal('share'), percent: z.int() }),
      z.strictObject({ kind: z.literal('people'), emails: z.array(z.string().max(EMAIL_CHARACTERS_MOST)).max(PEOPLE_MOST) }),
    ])
    .describe('Who is asked first, before everybody is'),
  counting: z.array(z.enum(KINDS)).max(KINDS.length).describe('The methods that count'),
  mailFirst: z.boolean().describe('Whether a set-up in a browser that is new to the account asks for an emailed code first'),
  sessionIdleMinutes: z.int().nullable(),
  sessionHours: z.int().nullable(),
  proofMinutes: z.int().describe('How fresh a proof must be for changes'),
  emailDomains: z.array(z.string().max(EMAIL_CHARACTERS_MOST)).max(50).describe('Whose addresses may join; none: all'),
};
const optionalFields = {
  trustedDeviceDays: z.int().describe('For how many days a browser may be remembered in which a second factor was shown; 0: never'),
  resetNeedsApproval: z.boolean().describe('Whether a second administrator has to agree before somebody’s methods are reset'),
  resetWaitHours: z.int().describe('How long a reset waits, in which the person can stop it'),
};
export const rulesShape = z.object({ ...rulesFields, ...optionalFields }).meta({ id: 'Rules' });
/** What came later: where it is left out it stays as it is, so that a program that does not know of it changes nothing of it. */
export const rulesSent = z
  .strictObject({
    ...rulesFields,
    trustedDeviceDays: optionalFields.trustedDeviceDays.optional(),
    resetNeedsApproval: optionalFields.resetNeedsApproval.optional(),
    resetWaitHours: optionalFields.resetWaitHours.optional(),
  })
  .meta({ id: 'RulesToBe' });
export type RulesSent = z.output<typeof rulesSent>;

export async function rulesAsJson({ database: { query } }: World, { id }: Organisation, rules: Rules): Promise<z.input<typeof rulesShape>> {
  const { rollOut } = rules;
  return {
    twoFactor: rules.twoFactor,
    roles: [...rules.roles],
    from: rules.from === null ? null : dayOf(rules.from),
    graceDays: rules.graceDays,
    rollOut: rollOut.kind === 'people' ? { kind: 'people', emails: await addressesOf(query, id, rollOut.accountIds) } : rollOut,
    counting: KINDS.filter((kind) => !rules.notCounting.includes(kind)),
    mailFirst: rules.mailFirst,
    sessionIdleMinutes: rules.sessionIdleMinutes,
    sessionHours: rules.sessionHours,
    proofMinutes: rules.proofMinutes,
    trustedDeviceDays: rules.trustedDeviceDays,
    emailDomains: [...rules.emailDomains],
    resetNeedsApproval: rules.resetNeedsApproval,
    resetWaitHours: rules.resetWaitHours,
  };
}

/** What the form would have, so that the same function checks it. */
export const fieldsFrom = (sent: RulesSent, renews: boolean, before: Rules): Fields => ({
  twoFactor: sent.twoFactor,
  roles: ROLES.filter((role) => sent.roles.includes(role)),
  from: sent.from ?? '',
  graceDays: String(sent.graceDays),
  rollOut: sent.rollOut.kind,
  percent: sent.rollOut.kind === 'share' ? String(sent.rollOut.percent) : '',
  people: sent.rollOut.kind === 'people' ? sent.rollOut.emails.join('\n') : '',
  counting: sent.counting,
  mailFirst: sent.mailFirst,
  sessionIdleMinutes: sent.sessionIdleMinutes === null ? '' : String(sent.sessionIdleMinutes),
  sessionHours: sent.sessionHours === null ? '' : String(sent.sessionHours),
  proofMinutes: String(sent.proofMinutes),
  trustedDeviceDays: String(sent.trustedDeviceDays ?? before.trustedDeviceDays),
  emailDomains: sent.emailDomains.join('\n'),
  resetNeedsApproval: sent.resetNeedsApproval ?? before.resetNeedsApproval,
  resetWaitHours: String(sent.resetWaitHours ?? before.resetWaitHours),
  renews,
});
