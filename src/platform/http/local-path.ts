/**
 * A path of ours to go to afterwards, or undefined for anything else (WE-7): no scheme, no host, no backslash, nothing that a browser
 * might read as either. Only letters, digits and a few signs are let through.
 */
export function localPath(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text.length > 500) return undefined;
  return /^\/(?!\/)[\w./~-]*(?:\?[\w.~=&%-]*)?$/.test(text) && !text.includes('//') && !text.includes('..') ? text : undefined;
}
