// Which operations a PATCH asks for (RFC 7644, 3.5.2): written in any case, as Entra writes "Replace". The door is scim.ts.
import type { Json, Operation, Read, ScimType } from './contract.ts';

const OPERATIONS_MOST = 100;

export const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

export const refuse = (scimType: ScimType, detail: string): { readonly ok: false; readonly scimType: ScimType; readonly detail: string } => ({
  ok: false,
  scimType,
  detail,
});

/** The names of attributes have no case (RFC 7643, 2.1). */
export function fieldOf(object: Json, name: string): unknown {
  const key = Object.keys(object).find((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}

export function operationsOf(body: unknown): Read<readonly Operation[]> {
  const given = isObject(body) ? fieldOf(body, 'Operations') : undefined;
  if (!Array.isArray(given) || given.length === 0) return refuse('invalidSyntax', 'Send a list of Operations.');
  if (given.length > OPERATIONS_MOST) return refuse('tooMany', `Send at most ${OPERATIONS_MOST} Operations at once.`);
  const operations: Operation[] = [];
  for (const one of given as unknown[]) {
    const op = isObject(one) ? fieldOf(one, 'op') : undefined;
    const name = (['add', 'replace', 'remove'] as const).find((known) => typeof op === 'string' && known === op.toLowerCase());
    const path = isObject(one) ? fieldOf(one, 'path') : undefined;
    if (!name || !isObject(one) || (path !== undefined && path !== null && typeof path !== 'string'))
      return refuse('invalidSyntax', 'Each of Operations has an op (add, replace or remove), and a path that is text where it has one.');
    operations.push({ op: name, path: typeof path === 'string' && path !== '' ? path : undefined, value: fieldOf(one, 'value') });
  }
  return { ok: true, value: operations };
}
