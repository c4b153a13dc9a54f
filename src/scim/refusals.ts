// Why something was not done, as SCIM says it (RFC 7644, 3.12). The door is scim.ts.
import { Problem, type ProblemCode } from '../platform/problem.ts';
import type { Read, ScimType } from './contract.ts';

export const scimProblem = (code: ProblemCode, detail: string, scimType?: ScimType): Problem =>
  new Problem(code, detail, scimType === undefined ? {} : { scimType });

export const taken = (): Problem =>
  scimProblem('conflict', 'Somebody of the organisation has this userName already. Look them up by it, and change them.', 'uniqueness');

/** Hands on what could be read, and throws what could not. */
export function readOr<Value>(read: Read<Value>): Value {
  if (!read.ok) throw scimProblem('bad-request', read.detail, read.scimType);
  return read.value;
}
