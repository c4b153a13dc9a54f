/**
 * Rows as RFC 4180 has them, for people who open them in a spreadsheet. A spreadsheet takes a cell that begins with one of these signs for a formula and
 * runs it, whatever quotes stand around it: so a name could be a program. An apostrophe before it makes it text (OWASP, "CSV Injection").
 */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(cellOf).join(',')}\r\n`).join('');
}

/** The signs in their full width too, which some spreadsheets read as the narrow ones. */
const BEGINS_A_FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

function cellOf(text: string): string {
  const harmless = BEGINS_A_FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
