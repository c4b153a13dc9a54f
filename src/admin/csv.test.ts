import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { csvOf } from './csv.ts';

test('RFC 4180: lines end in CR LF, and what holds a comma, a quote or a line end stands in quotes', () => {
  assert.equal(csvOf([['Name', 'Email']]), 'Name,Email\r\n');
  assert.equal(
    csvOf([
      ['Quill, "Zoë"', 'a\r\nb'],
      ['', ' plain '],
    ]),
    '"Quill, ""Zoë""","a\r\nb"\r\n, plain \r\n',
  );
});

test('no cell is a formula: =, +, -, @, tab and the ends of lines get an apostrophe, their full-width forms too', () => {
  for (const sign of ['=', '+', '-', '@', '\t', '＝', '＋', '－', '＠']) assert.equal(csvOf([[`${sign}1+1`]]), `'${sign}1+1\r\n`);
  assert.equal(csvOf([['\r=1', '\n=1']]), `"'\r=1","'\n=1"\r\n`);
  assert.equal(csvOf([['=HYPERLINK("http://x","y")']]), `"'=HYPERLINK(""http://x"",""y"")"\r\n`);
});

test('whatever stands in the cells, a reader finds the same cells, and none begins with a sign of a formula', () => {
  const row = fc.array(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('=', '+', '-', '@', '\t', '\r', '\n', ',', '"', 'a') })), { minLength: 1 });
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      const read = readCsv(csvOf(rows));
      assert.deepEqual(
        read.map((cells) => cells.map((cell) => cell.replace(/^'(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/, ''))),
        rows.map((cells) => cells.map((cell) => cell.replace(/^'(?=[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20])/, ''))),
      );
      for (const cell of read.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r\n]/);
    }),
  );
});

/** As RFC 4180 reads it, by a grammar of its own. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'));
    if (end === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}
