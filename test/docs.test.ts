/** What the documents say is so: links lead somewhere, names are names in the code, and lists agree with what they list. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { AUDIT_EVENTS } from '../src/audit/audit.ts';
import { COMMANDS } from '../src/commands/commands.ts';
import { VARIABLES } from '../src/config.ts';
import { readHouse, REQUIREMENT, ROOT, titlesOf, type House } from './support/house.ts';

const house = readHouse();
const read = (name: string): string => readFileSync(path.join(ROOT, name), 'utf8');
const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll(path.sep, '/')}`),
];
/** Every word of the source, and of what else can be named. */
const words = new Set(
  [
    ...[...house.values()].filter((file) => file.path !== 'test/docs.test.ts').map((file) => file.text),
    ...['package.json', '.oxlintrc.json', 'scripts/node', 'README.md', 'tsconfig.json'].map(read),
  ].flatMap((text) => text.match(/[\w$]+/g) ?? []),
);

/** `[text](target)`, outside of code. */
function brokenLinks(name: string, text: string): string[] {
  const prose = text.replaceAll(/```[^]*?```|`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((found) => found[1]!)
    .filter((target) => !/^(?:https?:|mailto:)/.test(target))
    .filter((target) => {
      const [file = '', anchor] = target.split('#');
      const to = path.join(ROOT, path.dirname(name), decodeURIComponent(file));
      if (file !== '' && !existsSync(to)) return true;
      return anchor !== undefined && !anchorsOf(file === '' ? text : readFileSync(to, 'utf8')).includes(anchor);
    })
    .map((target) => `${name} links to ${target}, which is not there.`);
}

/** As hosts of repositories make them from headings. */
function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map((found) =>
    found[1]!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** What stands in backticks and looks like a path or a name of the code has to be one. */
function unknownNames(name: string, text: string): string[] {
  const prose = text.replaceAll(/```[^]*?```/g, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)]
    .map((found) => found[1]!)
    .filter((said) => (isPath(said) ? !isThere(name, said) : isName(said) && !words.has(said.replace(/\(\)$/, ''))))
    .map((said) => `${name} names ${said}, which is not in the code. Correct it, or say it without backticks.`);
}

const isPath = (said: string): boolean =>
  /^\.?[\w@-][\w.@-]*(?:\/[\w.@-]+)+\/?$|^[\w-]+\/$|^[\w.-]+\.(?:ts|md|json|js|css)$/.test(said) && !said.startsWith('@');
/** Names with a hump, an underscore or brackets: plain words are too often values and commands. */
const isName = (said: string): boolean => /^(?:[a-z]+\w*[A-Z]\w*|[A-Z]\w*[a-z]\w*|[A-Za-z]+_\w+)(?:\(\))?$/.test(said) && said !== 'HttpOnly' && said !== 'Lax';

function isThere(document: string, said: string): boolean {
  const anywhere = !said.includes('/') && [...house.keys(), 'keys.json'].some((file) => file === said || file.endsWith(`/${said}`));
  return anywhere || [ROOT, path.join(ROOT, path.dirname(document)), path.join(ROOT, 'src')].some((folder) => existsSync(path.join(folder, said)));
}

/** The cells of every row of a document's tables, without heads. */
function rowsOf(text: string): string[][] {
  return [...text.matchAll(/^\|(.*)\|\s*$/gm)]
    .map((found) => found[1]!.split('|').map((cell) => cell.trim()))
    .filter((row, index, all) => !/^-+$/.test(row[0]!) && !/^-+$/.test(all[index + 1]?.[0] ?? ''));
}

const inBackticks = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map((found) => found[1]!);

/** Ids that stand in the titles of tests, by file. */
function shownIn(tests: House): Map<string, Set<string>> {
  return new Map(
    [...tests.values()]
      .filter((file) => file.path.endsWith('.test.ts'))
      .map((file) => [file.path, new Set(titlesOf(file).flatMap((title) => title.match(REQUIREMENT) ?? []))]),
  );
}

describe('the documents', () => {
  test('are all read', () => assert.ok(documents.length >= 19, documents.join(' ')));
  for (const name of documents) {
    test(`${name}: its links lead somewhere, and what it names is in the code`, () => {
      assert.deepEqual([...brokenLinks(name, read(name)), ...unknownNames(name, read(name))], []);
    });
  }
  test('a link to nowhere, a heading that is not there and a name that nothing has would be noticed', () => {
    assert.equal(brokenLinks('docs/a.md', '[a](nowhere.md) [b](crypto.md#no-such) [c](crypto.md#inventory) [d](https://example.org)').length, 2);
    assert.equal(unknownNames('docs/a.md', '`src/nowhere.ts` `src/app.ts` `nextLeap` `nextStep` `NO_LIMIT` `off` `npm test`').length, 3);
  });

  test('files of the code that name a decision name one that there is', () => {
    const named = [...house.values()].flatMap((file) => [...file.text.matchAll(/docs\/decisions\/(\d{4})/g)].map((found) => found[1]!));
    assert.ok(named.length >= 2);
    for (const number of named)
      assert.ok(
        documents.some((name) => name.startsWith(`docs/decisions/${number}-`)),
        number,
      );
  });
});

describe('docs/decisions', () => {
  const pages = documents.filter((name) => /^docs\/decisions\/\d/.test(name)).toSorted();
  test('are numbered without a gap, and listed', () => {
    const list = read('docs/decisions/README.md');
    pages.forEach((name, index) => {
      const number = String(index + 1).padStart(4, '0');
      assert.ok(name.startsWith(`docs/decisions/${number}-`), name);
      assert.ok(list.includes(`[${number}](${path.basename(name)})`), `${name} is not in the list`);
      assert.ok(read(name).startsWith(`# ${number}: `), name);
    });
  });
  test('each has its context, decision, reason and price, on one page', () => {
    for (const name of pages) {
      const text = read(name);
      for (const part of [/^\*\*Context\.\*\*/m, /^\*\*Decision[^*]*\.\*\*/m, /^\*\*Why[^*]*\.\*\*/m, /^\*\*What it costs\.\*\*/m])
        assert.match(text, part, name);
      assert.ok(text.split('\n').length <= 60, `${name} is longer than a page`);
    }
  });
});

test('LO-6: docs/audit-events.md has every event and every field, and no others', () => {
  const said = Object.fromEntries(rowsOf(read('docs/audit-events.md')).map(([event, fields]) => [inBackticks(event!)[0], inBackticks(fields!)]));
  assert.deepEqual(said, AUDIT_EVENTS);
});

test('docs/dependencies.md has every dependency of package.json, with its licence', () => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { license?: string }> };
  const names = Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies });
  const licences = Object.fromEntries(names.map((name) => [name, packages[`node_modules/${name}`]?.license]));
  const said = Object.fromEntries(rowsOf(read('docs/dependencies.md')).map(([name, , licence]) => [inBackticks(name!)[0], licence]));
  assert.deepEqual(said, licences);
});

test('README.md has every setting', () => {
  const said = rowsOf(read('README.md')).flatMap(([name]) => inBackticks(name!));
  assert.deepEqual(said.filter((name) => name.startsWith('TWINLOCK_')).toSorted(), Object.keys(VARIABLES).toSorted());
});

test('README.md has every command', () => {
  const rows = rowsOf(read('README.md')).filter(([name]) => !inBackticks(name!)[0]?.startsWith('TWINLOCK_'));
  assert.deepEqual(
    rows.flatMap(([name]) => inBackticks(name!)),
    COMMANDS.map((command) => [command.name, ...(command.words ?? [])].join(' ')),
  );
});

test('CHANGELOG.md begins with the version that package.json has', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string };
  assert.match(read('CHANGELOG.md'), new RegExp(`^## ${version.replaceAll('.', '\\.')}(?:,|$)`, 'm'));
});

describe('docs/requirements.md', () => {
  const rows = rowsOf(read('docs/requirements.md')).map(([id, text]) => ({ id: id!, text: text! }));
  const shown = new Set([...shownIn(house).values()].flatMap((ids) => [...ids]));
  test('each requirement is in the title of a test, or written down where it says', () => {
    assert.ok(rows.length >= 75);
    assert.deepEqual(
      rows.filter(({ id, text }) => !shown.has(id) && !/\]\([\w/.-]+\.md\)/.test(text)).map(({ id }) => id),
      [],
    );
  });
  test('each that a test or the code names is there', () => {
    const named = new Set([...house.values()].filter((file) => file.path !== 'test/tidy.test.ts').flatMap((file) => file.text.match(REQUIREMENT) ?? []));
    const known = new Set(read('docs/requirements.md').match(REQUIREMENT));
    assert.deepEqual(
      [...named].filter((id) => !known.has(id)),
      [],
    );
  });
});

test('SECURITY.md: each promise names tests that show it, by the ids in their titles', () => {
  const shown = shownIn(house);
  const promises = rowsOf(read('SECURITY.md'));
  assert.ok(promises.length >= 15);
  for (const [promise, ids, files] of promises) {
    const named = inBackticks(files!);
    const inThem = new Set(named.flatMap((name) => [...(shown.get(name) ?? [])]));
    const wanted = ids!.match(REQUIREMENT) ?? [];
    assert.ok(wanted.length > 0 && named.length > 0, promise);
    for (const id of wanted) assert.ok(inThem.has(id), `${promise}: ${id} is in no title of ${named.join(', ')}`);
    for (const name of named)
      assert.ok(
        wanted.some((id) => shown.get(name)?.has(id)),
        `${promise}: ${name} shows none of ${ids}`,
      );
  }
});

test('nothing that git keeps names a path of somebody’s machine', () => {
  const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' })
    .split('\n')
    .filter((name) => /\.(?:md|ts|json|js|css|sh)$|^bin\/|^scripts\//.test(name));
  const found = files.filter((name) => existsSync(path.join(ROOT, name)) && /\/(?:home|Users|root)\/[a-z]/.test(read(name)));
  assert.deepEqual(found, []);
});
