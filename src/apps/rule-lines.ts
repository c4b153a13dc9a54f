/**
 * Rules as people write them, one in a line:
 *   two-factor /admin
 *   open /public methods=GET,HEAD
 *   signed-in /reports roles=owner,admin within=10
 */
import { ROLES, type Role } from '../organisations/organisations.ts';
import { NEEDS, type Rule } from './rules.ts';

const RULES_MOST = 50;

/** The rules, or what is wrong with the first line that is none. */
export function rulesFrom(text: string): readonly Rule[] | { readonly mistake: string } {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (lines.length > RULES_MOST) return { mistake: `Write at most ${RULES_MOST} rules.` };
  const rules: Rule[] = [];
  for (const [index, line] of lines.entries()) {
    const rule = ruleFrom(line);
    if (typeof rule === 'string') return { mistake: `Line ${index + 1}: ${rule}` };
    rules.push(rule);
  }
  return rules;
}

function ruleFrom(line: string): Rule | string {
  const [needed = '', path = '', ...more] = line.split(/\s+/);
  const need = NEEDS.find((one) => one === needed);
  if (!need) return `it begins with one of ${NEEDS.join(', ')}.`;
  if (!/^\/[!-~]*$/.test(path) || /[?#%\\;]|\/\/|\/\.{1,2}(?:\/|$)/.test(path) || path.length > 500)
    return 'behind it stands the beginning of a path, such as /admin.';
  let methods: string[] = [];
  let roles: Role[] = [];
  let withinMinutes: number | null = null;
  for (const one of more) {
    const [key = '', value = ''] = one.split('=', 2);
    if (key === 'methods' && /^[A-Z]+(?:,[A-Z]+)*$/.test(value)) methods = value.split(',');
    else if (key === 'roles' && value.split(',').every((role) => (ROLES as readonly string[]).includes(role))) roles = value.split(',') as Role[];
    else if (key === 'within' && /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= 1440) withinMinutes = Number(value);
    else return `“${one.slice(0, 60)}” is not understood. Write methods=GET,POST, roles=${ROLES.join(',')} or within=10.`;
  }
  if (need === 'open' && (roles.length > 0 || withinMinutes !== null)) return 'what is open to everybody can’t ask for roles or a fresh proof.';
  return { path, methods, need, roles, withinMinutes };
}

export const rulesInWords = (rules: readonly Rule[]): string => rules.map(ruleInWords).join('\n');

function ruleInWords({ need, path, methods, roles, withinMinutes }: Rule): string {
  const parts = [need, path];
  if (methods.length > 0) parts.push(`methods=${methods.join(',')}`);
  if (roles.length > 0) parts.push(`roles=${roles.join(',')}`);
  if (withinMinutes !== null) parts.push(`within=${withinMinutes}`);
  return parts.join(' ');
}
