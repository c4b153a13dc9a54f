// The figures as a table that reads well in a terminal and in Markdown.
export interface Row {
  readonly name: string;
  readonly measured: { readonly perSecond: number; readonly p50Milliseconds?: number; readonly p99Milliseconds?: number };
  /** `aim`: the part of the floor that is aimed at. */
  readonly against?: { readonly floor: string; readonly perSecond: number; readonly aim: number };
}

const HEADINGS = ['', 'a second', 'p50 ms', 'p99 ms', 'of the floor', 'aim'];

export function table(rows: readonly Row[]): string {
  const cells = rows.map(({ name, measured, against }) => [
    name,
    figure(measured.perSecond),
    figure(measured.p50Milliseconds),
    figure(measured.p99Milliseconds),
    against ? `${percent(measured.perSecond / against.perSecond)} of ${against.floor}` : '',
    against ? percent(against.aim) : '',
  ]);
  const widths = HEADINGS.map((heading, column) => Math.max(...[heading, ...cells.map((row) => row[column]!)].map((text) => text.length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((text, column) => (isNumber(column) ? text.padStart(widths[column]!) : text.padEnd(widths[column]!))).join(' | ')} |\n`;
  const rule = `|${widths.map((width, column) => (isNumber(column) ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2))).join('|')}|\n`;
  return line(HEADINGS) + rule + cells.map(line).join('');
}

const isNumber = (column: number): boolean => column >= 1 && column <= 3;

const percent = (part: number): string => `${Math.round(part * 100)} %`;

/** Three digits say all that there is to say. */
function figure(value: number | undefined): string {
  if (value === undefined) return '';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
