/**
 * Which rule an address of an app meets, and whether somebody may pass. Pure. Rules are asked in order and the first that fits decides; where none fits, the
 * app's own last word does. A path that could mean two things fits no rule and is refused.
 */
import type { Role } from '../organisations/organisations.ts';

export const NEEDS = ['open', 'signed-in', 'two-factor'] as const;
/** Two-factor: truly, by something that only this person has; an emailed code is not that (AL-1). */
export type Need = (typeof NEEDS)[number];

export interface Rule {
  /** The beginning of a path, whole parts of it: '/admin' is '/admin' and all below, and not '/administer'. Case does not count, since it does not to every app. */
  readonly path: string;
  /** Empty: all. */
  readonly methods: readonly string[];
  readonly need: Need;
  /** Who may, beside being signed in; empty: all who belong to the organisation. */
  readonly roles: readonly Role[];
  /** How old the proof may be; null: as old as the session. */
  readonly withinMinutes: number | null;
}

export interface Ruled {
  readonly rule: Rule;
  /** Its place among the rules; undefined for the app's last word. */
  readonly index: number | undefined;
}

/** The rule for a request; undefined where the path can be read in two ways and a rule asks for the path. */
export function ruleFor(rules: readonly Rule[], last: Need, { path, method }: { path: string; method: string }): Ruled | undefined {
  const end: Ruled = { rule: { path: '/', methods: [], need: last, roles: [], withinMinutes: null }, index: undefined };
  if (rules.length === 0) return end;
  const plain = plainPath(path);
  if (plain === undefined) return undefined;
  const index = rules.findIndex((rule) => (rule.methods.length === 0 || rule.methods.includes(method)) && isBelow(plain, rule.path.toLowerCase()));
  return index === -1 ? end : { rule: rules[index]!, index };
}

function isBelow(path: string, beginning: string): boolean {
  const stem = beginning.replace(/\/$/, '');
  return path === stem || path.startsWith(`${stem}/`);
}

/** The path as every server reads it; undefined where one might read another: dots, doubled slashes, backslashes, parameters, what is encoded twice. */
function plainPath(path: string): string | undefined {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  if (/%(?:2f|5c|2e|00|25)/i.test(path) || /[\\;\p{Cc}]|\/\/|\/\.{1,2}(?:\/|$)/u.test(decoded)) return undefined;
  return decoded.toLowerCase();
}

export interface Somebody {
  /** In the app's organisation; undefined: none. */
  readonly role: Role | undefined;
  readonly level: 1 | 2;
  /** Whether the session has all that the policies ask. */
  readonly meetsPolicy: boolean;
  /** Age of the oldest part of the proof that was shown last, in milliseconds. */
  readonly proofAge: number;
}

export type Verdict = 'let-in' | 'sign-in' | 'step-up' | 'not-a-member' | 'not-the-role';

/** `who`: undefined where nobody is signed in. */
export function verdictOn({ need, roles, withinMinutes }: Rule, who: Somebody | undefined): Verdict {
  if (need === 'open') return 'let-in';
  if (!who) return 'sign-in';
  if (who.role === undefined) return 'not-a-member';
  if (roles.length > 0 && !roles.includes(who.role)) return 'not-the-role';
  const strong = need !== 'two-factor' || who.level === 2;
  const fresh = withinMinutes === null || who.proofAge < withinMinutes * 60_000;
  return who.meetsPolicy && strong && fresh ? 'let-in' : 'step-up';
}
