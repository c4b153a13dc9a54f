/**
 * Where the next page of a list begins, as a program carries it: sealed, and for this list alone. So it says nothing of who stands there, can't be made up, and
 * is of no use with another filter or in another organisation.
 */
import { doesNotFit } from '../problem.ts';
import type { World } from '../world.ts';

/** What is listed: the organisation, and the operation with its filter. */
export interface ListOf {
  readonly organisation: string;
  readonly what: readonly unknown[];
}

export const CURSOR_CHARACTERS_MOST = 2000;

const placeOf = ({ organisation, what }: ListOf): readonly [string, string, string] => ['api cursor', organisation, JSON.stringify(what)];

/** null behind the last page. */
export const sealCursor = ({ keys }: World, list: ListOf, after: string | undefined): string | null =>
  after === undefined ? null : Buffer.from(keys.seal(placeOf(list), after)).toString('base64url');

/** '' for the first page. */
export function openCursor({ keys }: World, list: ListOf, cursor: string | undefined): string {
  if (cursor === undefined) return '';
  try {
    return keys.open(placeOf(list), Buffer.from(cursor, 'base64url'));
  } catch (error) {
    const detail = 'Not the “next” of a page of this list. Begin at the first page.';
    throw doesNotFit([{ parameter: 'cursor', detail }], error);
  }
}
