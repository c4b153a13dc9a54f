/** "in 25 seconds", "in 4 minutes": rounded up, so that nobody comes too early. */
export function waitingTime(milliseconds: number): string {
  const count = Math.max(1, Math.ceil(milliseconds / 1000));
  if (count < 90) return `in ${count} ${count === 1 ? 'second' : 'seconds'}`;
  const inMinutes = Math.ceil(count / 60);
  if (inMinutes < 90) return `in ${inMinutes} minutes`;
  return `in ${Math.ceil(inMinutes / 60)} hours`;
}

/** "6 days left", "less than an hour left": rounded down, so that nobody comes too late. */
export function timeLeft(milliseconds: number): string {
  const inHours = Math.floor(milliseconds / 3_600_000);
  if (inHours < 1) return 'less than an hour left';
  if (inHours < 48) return `${inHours} ${inHours === 1 ? 'hour' : 'hours'} left`;
  return `${Math.floor(inHours / 24)} days left`;
}

/** "14:05 UTC". The server does not know where the person is. */
export function timeOf(at: number): string {
  return `${new Date(at).toISOString().slice(11, 16)} UTC`;
}

/** "24 November 2026" */
export function dateOf(at: number, language = 'en'): string {
  let format = dates.get(language);
  if (!format) dates.set(language, (format = new Intl.DateTimeFormat(language === 'en' ? 'en-GB' : language, { dateStyle: 'long', timeZone: 'UTC' })));
  return format.format(at);
}

/** By language: one takes longer to make than a page. */
const dates = new Map<string, Intl.DateTimeFormat>();

/** "24 November 2026 at 14:05 UTC" */
export function momentOf(at: number, language = 'en'): string {
  return `${dateOf(at, language)} at ${timeOf(at)}`;
}

/** The first moment of a day as a form sends it, "2026-11-24", in UTC; undefined for what is no day. */
export function startOfDay(text: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return undefined;
  const at = Date.parse(`${text}T00:00:00Z`);
  // The 30th of February is no day, though some read it as the 2nd of March.
  return Number.isNaN(at) || dayOf(at) !== text ? undefined : at;
}

/** "2026-11-24T14:05:09.123Z": for machines, and for what is put in order. */
export const isoOf = (at: number): string => new Date(at).toISOString();

/** "2026-11-24", as a date field has it. */
export const dayOf = (at: number): string => isoOf(at).slice(0, 10);

/** What machines write (xs:dateTime), in epoch milliseconds; without a zone it is UTC. Undefined for what is none. */
export function instantOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,12})?(?:Z|[+-]\d\d:\d\d)?$/.test(text)) return undefined;
  const at = Date.parse(/(?:Z|[+-]\d\d:\d\d)$/.test(text) ? text : `${text}Z`);
  return Number.isNaN(at) ? undefined : at;
}
