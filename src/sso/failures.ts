// What a provider is not believed for, as every protocol says it: sentences for whoever looks after the connection. The door is sso.ts.
import { canBeShown } from '../platform/words/showable.ts';
import type { Failure, FailureReason } from './contract.ts';

const QUOTED_CHARACTERS_MOST = 150;

const failure =
  (reason: FailureReason) =>
  (detail: string): Failure => ({ ok: false, reason, detail });

export const unreachable = failure('unreachable');
export const misconfigured = failure('misconfigured');
export const refused = failure('refused');
export const untrusted = failure('untrusted');

export const isFailure = (value: object): value is Failure => 'ok' in value && value.ok === false && 'reason' in value;

/** What came unverified: in quotes, cut short, and on one line. */
export function quoted(text: string): string {
  const line = [...text.toWellFormed().replaceAll(/\s+/g, ' ')].filter(canBeShown).join('').trim();
  return `“${line.length > QUOTED_CHARACTERS_MOST ? `${line.slice(0, QUOTED_CHARACTERS_MOST)}…` : line}”`;
}
