/**
 * The house keeps itself tidy. Reads every import of every source file and holds it against the ladder and the other rules of
 * test/support/house-rules.ts; then breaks each rule once, in memory, to see that it would be noticed and that the complaint says what to do.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTest, productOf, readHouse, roomOf, withFile } from './support/house.ts';
import * as rules from './support/house-rules.ts';

const house = readHouse();

/** One way to break a rule: the file that does it, its text, and what the complaint must say. */
interface Planted {
  readonly breaks: rules.Rule;
  readonly what: string;
  readonly file: string;
  readonly text: string;
  readonly says: RegExp;
}

const next = `${house.get('src/attempts/next-step.ts')!.text}\n`;
const sessions = `${house.get('src/sessions/sessions.ts')!.text}\n`;
const long = (lines: number) => `export function long(): void {\n${'  JSON.parse("1");\n'.repeat(lines - 2)}}\n`;

const PLANTED: readonly Planted[] = [
  {
    breaks: rules.importsDownwards,
    what: 'an import from a higher rung',
    file: 'src/accounts/store.ts',
    text: "import type { Session } from '../sessions/sessions.ts';\n",
    says: /store\.ts:1 imports 'sessions', which stands above 'accounts'. Take the value as an argument/,
  },
  {
    breaks: rules.importsDownwards,
    what: 'the platform importing a feature, dynamically',
    file: 'src/platform/world.ts',
    text: "const accounts = await import('../accounts/accounts.ts');\n",
    says: /imports 'accounts', which stands above 'platform'/,
  },
  {
    breaks: rules.importsDownwards,
    what: 'a feature importing a root file',
    file: 'src/policy/policy.ts',
    text: "import { readSettings } from '../config.ts';\n",
    says: /imports a root file. Take what it knows as an argument/,
  },
  {
    breaks: rules.importsDownwards,
    what: 'a file that is not there',
    file: 'src/policy/policy.ts',
    text: "export { a } from './nowhere.ts';\n",
    says: /imports .\/nowhere.ts, which is not there/,
  },
  {
    breaks: rules.importsDownwards,
    what: 'a room that is not on the ladder',
    file: 'src/cellar/cellar.ts',
    text: "import { minutes } from '../platform/durations.ts';\n",
    says: /Put 'cellar' on its rung/,
  },
  {
    breaks: rules.entersByDoors,
    what: 'a way in beside the door',
    file: 'src/sign-in/sign-in.ts',
    text: "import * as store from '../sessions/store.ts';\n",
    says: /enters 'sessions' by the window. Import it from sessions\/sessions.ts/,
  },
  {
    breaks: rules.entersByDoors,
    what: "another room's pages",
    file: 'src/sign-up/web.ts',
    text: "import { mountSignIn } from '../sign-in/web.ts';\n",
    says: /enters 'sign-in' by the window/,
  },
  {
    breaks: rules.entersByDoors,
    what: "the platform's own tables",
    file: 'src/sign-up/sign-up.ts',
    text: "import { selectDue } from '../platform/mail/store.ts';\n",
    says: /takes the platform's own tables. Import what uses them/,
  },
  {
    breaks: rules.factorsAreStrangers,
    what: 'one factor seeing another',
    file: 'src/factors/totp/words.ts',
    text: "import { emailCode } from '../email-code/email-code.ts';\n",
    says: /imports the factor 'email-code'. Ask registry.ts for it/,
  },
  {
    breaks: rules.factorsAreStrangers,
    what: 'a factor seeing accounts',
    file: 'src/factors/totp/words.ts',
    text: "import { findAccount } from '../../accounts/accounts.ts';\n",
    says: /A factor sees contract.ts, code.ts and the platform; take the rest as an argument/,
  },
  {
    breaks: rules.factorsAreUnnamed,
    what: "a factor's name in a flow",
    file: 'src/attempts/next-step.ts',
    text: `${next}export const isStrong = (kind: string): boolean => kind === 'totp';\n`,
    says: /names the factor 'totp' \(totp\). Ask what it can do, by contract.ts/,
  },
  {
    breaks: rules.factorsAreUnnamed,
    what: "a factor's name inside another name",
    file: 'src/attempts/next-step.ts',
    text: `${next}const hasTotp = false;\nconst OTP_DIGITS = 6;\n`,
    says: /\(Totp\)[^]*\(OTP\)/,
  },
  {
    breaks: rules.decisionsArePure,
    what: 'a decision with a package',
    file: 'src/attempts/next-step.ts',
    text: `import { z } from 'zod';\n${next}`,
    says: /is a decision and imports zod. Take what it gives as an argument/,
  },
  {
    breaks: rules.decisionsArePure,
    what: 'a decision that looks something up',
    file: 'src/attempts/next-step.ts',
    text: `${next}export const policyOf = async () => true;\n`,
    says: /is a decision and does something \(async\). Let the caller do it/,
  },
  {
    breaks: rules.filesHaveRoles,
    what: 'a file that could be anything',
    file: 'src/accounts/utils.ts',
    text: 'export const a = 1;\n',
    says: /accounts\/utils.ts has no role. Name it for the question that it decides/,
  },
  {
    breaks: rules.noCycles,
    what: 'a cycle',
    file: 'src/sessions/session-limits.ts',
    text: "import { openSession } from './sessions.ts';\nexport const sessionLimits = openSession;\n",
    says: /sessions\/session-limits.ts -> src\/sessions\/.* is a cycle. Move what both need into a file below the two/,
  },
  {
    breaks: rules.noDeadFiles,
    what: 'a file that nobody reaches',
    file: 'src/accounts/admin.ts',
    text: 'export const a = 1;\n',
    says: /accounts\/admin.ts is reached from no command. Import it where it belongs, or delete it/,
  },
  {
    breaks: rules.noDeadExports,
    what: 'an export without a reader',
    file: 'src/sessions/sessions.ts',
    text: `${sessions}export const forgotten = 1;\n`,
    says: /sessions.ts exports forgotten, which nobody imports. Take the 'export' away/,
  },
  {
    breaks: rules.noDeadExports,
    what: 'an export without a reader, in a file that a door hands on whole',
    file: 'src/attempts/steps.ts',
    text: `${house.get('src/attempts/steps.ts')!.text}\nexport const forgotten = 1;\n`,
    says: /steps.ts exports forgotten/,
  },
  {
    breaks: rules.noDeadExports,
    what: 'an exported type without a reader',
    file: 'src/sessions/sessions.ts',
    text: `${sessions}export interface Forgotten {\n  readonly a: 1;\n}\n`,
    says: /sessions.ts exports Forgotten/,
  },
  ...(
    [
      ['the clock', 'const at = new Date();\n', /reads the clock. Take world.clock.now\(\)/],
      ['the clock by another way', 'const at = globalThis.Date.now();\n', /uses globalThis/],
      ['guessable randomness', 'const dice = Math.random();\n', /Take world.random/],
      ['the environment', "const secret = process.env['SECRET'];\n", /uses process. Take it from the World/],
      ['cryptography of its own', "import { randomBytes } from 'node:crypto';\n", /imports node:crypto. Take it from the World/],
      ['cryptography, asked for later', "const crypto = await import('node:crypto');\n", /imports node:crypto/],
      ['a timer', 'setTimeout(() => undefined, 1000);\n', /uses setTimeout. .*platform\/background.ts/],
      ['the network', "await fetch('https://example.org');\n", /uses fetch/],
    ] as const
  ).map(([what, text, says]) => ({ breaks: rules.onlyThePlatformKnowsTheWorld, what, file: 'src/policy/policy.ts', text, says })),
  {
    breaks: rules.onlyThePlatformKnowsTheWorld,
    what: 'a second clock in the platform',
    file: 'src/platform/limits/limits.ts',
    text: 'export const now = (): number => Date.now();\n',
    says: /reads the clock. Take world.clock.now\(\)/,
  },
  {
    breaks: rules.whatIsRememberedIsWrittenInTransactions,
    what: 'a session that ends outside of a transaction',
    file: 'src/sessions/store.ts',
    text: "export const end = (queries: Queries, id: string) => queries\n  .deleteFrom('sessions').where('id', '=', id).execute();\n",
    says: /store\.ts:1 writes outside of a transaction what checks remember/,
  },
  {
    breaks: rules.nothingIsLong,
    what: 'a function of 61 lines',
    file: 'src/policy/policy.ts',
    text: long(61),
    says: /:1 long has 61 lines, over 60. Give a part of it a name/,
  },
  {
    breaks: rules.nothingIsLong,
    what: 'an arrow function of 61 lines',
    file: 'src/policy/policy.ts',
    text: `export const long = async ({ a }: { a: string }): Promise<void> => {\n${'  void a;\n'.repeat(59)}};\n`,
    says: /long has 61 lines/,
  },
  {
    breaks: rules.nothingIsLong,
    what: 'a method of 61 lines whose type has braces',
    file: 'src/policy/policy.ts',
    text: `export class One {\n  async long(): Promise<{ ok: true } | undefined> {\n${'    void 0;\n'.repeat(59)}  }\n}\n`,
    says: /long has 61 lines/,
  },
  {
    breaks: rules.nothingIsLong,
    what: 'a file of 401 lines',
    file: 'src/policy/policy.ts',
    text: 'export const a = 1;\n'.repeat(401),
    says: /policy.ts has 401 lines, over 400. Take the part that has a name/,
  },
  {
    breaks: rules.claimsAreShown,
    what: 'a requirement that no test shows',
    file: 'src/policy/policy.ts',
    text: '/** Meets TO-999. */\n',
    says: /claims TO-999, which no test shows. Write the test/,
  },
];

/** Would be noticed by a reader of text, and must not be: what stands in comments and strings, and types that look back. */
const INNOCENT = `
// Date.now() is what we do not use; import { a } from 'node:crypto';
/* process.env, setTimeout( */
export const words = 'new Date() and process.exit()';
export const pattern = /['"\`]fetch\\(/u;
export const template = \`console.log(\${words} \${\`Math.random \${pattern.source}\`})\`;
`;

test('every source file is read', () => {
  const product = productOf(house);
  const imports = product.flatMap((file) => file.imports);
  // These only grow. A reader that suddenly sees less has gone blind.
  assert.ok(product.length >= 98, `${product.length} files`);
  assert.ok(imports.length >= 430, `${imports.length} imports`);
  assert.ok(imports.filter((one) => one.file === undefined).length >= 30, 'packages and modules of Node');
  assert.ok([...house.keys()].filter(isTest).length >= 50, 'tests');
  const rooms = new Set(product.map((file) => roomOf(file.path)).filter((room) => room !== ''));
  assert.deepEqual(
    [...rooms].toSorted(),
    rules.LADDER.filter((room) => !room.startsWith('(')).toSorted(),
    'A room that is no longer empty loses its brackets in test/support/house-rules.ts, and one that has gone its rung.',
  );
});

describe('the house', () => {
  for (const [name, rule] of Object.entries(rules).filter((entry): entry is [string, rules.Rule] => typeof entry[1] === 'function')) {
    test(`keeps the rule: ${sentence(name)}`, () => {
      assert.deepEqual(rule(house), []);
      const innocent = withFile(house, 'src/policy/policy.ts', house.get('src/policy/policy.ts')!.text + INNOCENT);
      assert.deepEqual(
        rule(innocent).filter((complaint) => !complaint.includes('nobody imports')),
        [],
      );
      assert.ok(
        PLANTED.some((one) => one.breaks === rule),
        'No violation of this rule is planted below.',
      );
    });
  }
  for (const { breaks, what, file, text, says } of PLANTED) {
    test(`would notice ${what}`, () => assert.match(breaks(withFile(house, file, text)).join('\n'), says));
  }
});

/** 'imports downwards' */
function sentence(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
