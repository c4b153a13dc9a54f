/** A host as an app has it: in lower case, with the port where it is no scheme's own; '*.' before it stands for one label. Undefined for what is none. */
export function hostFrom(text: string): string | undefined {
  const host = text
    .trim()
    .toLowerCase()
    .replace(/:(?:443|80)$/, '');
  const [, star = '', name = '', port] = /^(\*\.)?([a-z\d.-]{1,253})(?::(\d{1,5}))?$/.exec(host) ?? [];
  const labels = name.split('.');
  if (!labels.every((label) => /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?$/.test(label))) return undefined;
  // '*.org' would be everybody's.
  if (star !== '' && labels.length < 2) return undefined;
  return port !== undefined && (Number(port) < 1 || Number(port) > 65_535) ? undefined : host;
}

/** The wildcard above a host: '*.example.org:8443' for 'wiki.example.org:8443'. */
export const wildcardAbove = (host: string): string => `*${host.slice(host.indexOf('.'))}`;
