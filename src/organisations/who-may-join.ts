/**
 * Who may make an account: one answer for the page, its form, and every link that leads there. It depends on the operator's setting, on the link that somebody
 * came with and on the domains that organisations list, and on no account: so it tells nobody whether one exists (RL-7).
 */
import type { Installation } from '../platform/world.ts';
import { isOfDomains } from './permissions.ts';

export interface JoiningTerms {
  readonly rule: Installation['signUp'];
  /** What the link bids whoever came with it: an invitation one address, a link to set up whoever has it. Undefined: they came without one that is good. */
  readonly bidden: 'anybody' | { readonly email: string; readonly emailKey: string } | undefined;
  /** Of every organisation that lists some. Read where the rule asks for them. */
  readonly domains: readonly string[];
}

/** `emailKey`: of the address that the account is to have. */
export function mayJoin({ rule, bidden, domains }: JoiningTerms, emailKey: string): boolean {
  if (rule === 'open' || bidden === 'anybody' || bidden?.emailKey === emailKey) return true;
  return rule === 'domains' && domains.length > 0 && isOfDomains(emailKey, domains);
}

/** Whether there is an address at all with which whoever came may join. */
export function isJoiningOpen({ rule, bidden, domains }: JoiningTerms): boolean {
  return rule === 'open' || bidden !== undefined || (rule === 'domains' && domains.length > 0);
}
