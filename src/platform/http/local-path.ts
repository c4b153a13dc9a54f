/** Long enough for the address of an app to come back to, which stands in it encoded. */
const CHARACTERS_MOST = 4000;

/**
 * A path of ours to go to afterwards, or undefined for anything else (WE-7): no scheme, no host, no backslash, nothing that a browser
 * might read as either. Only letters, digits and a few signs are let through.
 */
export function localPath(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text.length > CHARACTERS_MOST) return undefined;
  return /^\/(?!\/)[\w./~-]*(?:\?[\w.~=&%-]*)?$/.test(text) && !text.includes('//') && !text.includes('..') ? text : undefined;
}

/** Where somebody was going who has something to do first; undefined where that is where they land anyway, or was a form. */
export function wayBackTo({ method, path, query }: { readonly method: string; readonly path: string; readonly query: URLSearchParams }): string | undefined {
  if (method !== 'GET' || path === '/account' || path === '/') return undefined;
  // As localPath wants it: what it does not know stays encoded.
  const text = query.toString().replaceAll('+', '%20').replaceAll('*', '%2A').replaceAll('..', '%2E%2E');
  return localPath(text === '' ? path : `${path}?${text}`);
}
