import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { suite, test } from 'node:test';
import { systemRandom } from './real.ts';

suite('the system’s randomness', () => {
  test('is handed out once, whatever is asked for, across the pages in which it comes', () => {
    const seen = new Set<string>();
    const sizes = [16, 32, 9, 4095, 4096, 4097, 20_000, 1];
    for (let draw = 0; draw < 4000; draw++) {
      const size = sizes[draw % sizes.length]!;
      const bytes = systemRandom.bytes(size);
      assert.equal(bytes.length, size);
      if (size < 9) continue;
      const text = Buffer.from(bytes).toString('hex');
      assert.ok(!seen.has(text));
      seen.add(text);
      assert.ok(bytes.some((byte) => byte !== 0));
    }
  });

  test('belongs to whoever asked: what they do to it, and who asks next, changes nothing for anybody else', () => {
    const one = systemRandom.bytes(16);
    const copy = Uint8Array.from(one);
    const other = systemRandom.bytes(16);
    other.fill(0);
    assert.deepEqual(one, copy);
    assert.notEqual(one.buffer, other.buffer);
    assert.equal(one.buffer.byteLength, 16, 'nobody gets at the page by the way of their own');
  });

  test('has every byte, and about as often as the others', () => {
    const counts = Array.from({ length: 256 }, () => 0);
    for (let draw = 0; draw < 8000; draw++) for (const byte of systemRandom.bytes(32)) counts[byte]! += 1;
    // A thousand are expected of each; six standard deviations either way.
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 190, String(count));
  });
});

suite('the log', () => {
  const run = (code: string) =>
    spawnSync(
      process.execPath,
      ['--input-type=module', '-e', `import { jsonLog } from '${new URL('real.ts', import.meta.url).href}'; const log = jsonLog('info'); ${code}`],
      {
        encoding: 'utf8',
      },
    );
  const numbersIn = (output: string): number[] =>
    output
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { number: number }).number);
  const write = 'for (let number = 0; number < 2000; number++) log.info("counted", { number });';

  for (const [how, code, status] of [
    ['by itself', '', 0],
    ['by process.exit', 'process.exit(3);', 3],
    ['by what nobody caught', 'throw new Error("a bug");', 1],
  ] as const) {
    test(`has every line, in order, when the program ends ${how}`, () => {
      const ended = run(write + code);
      assert.equal(ended.status, status);
      assert.deepEqual(
        numbersIn(ended.stdout),
        Array.from({ length: 2000 }, (_, index) => index),
      );
    });
  }

  test('comes at the end of the turn, not at the end of the program', () => {
    const ended = run(
      'log.info("first", { number: 1 }); setTimeout(() => { process.stdout.write(JSON.stringify({ number: 2 }) + "\\n"); log.info("last", { number: 3 }); }, 5);',
    );
    assert.deepEqual(numbersIn(ended.stdout), [1, 2, 3]);
  });
});
