/**
 * The rules of the house. Each takes the source files and answers with complaints, which say what to do instead.
 * The linter says what it can (.oxlintrc.json); what needs more than one file, or a name of ours, is said here.
 */
import { findInCode, findInText, productOf, REQUIREMENT, roomOf, titlesOf, type House, type ResolvedImport, type SourceFile } from './house.ts';
import { functionsOf } from './source-text.ts';

/** The ladder, lowest first: a room imports from lower rungs alone. In brackets: rooms to come, empty today. */
export const LADDER = [
  'platform',
  'audit',
  'accounts',
  'organisations',
  'groups',
  'factors',
  'policy',
  'sessions',
  'sso',
  'attempts',
  'lost-phone',
  'sign-in',
  'sign-up',
  'forgot-password',
  'manage-account',
  'apps',
  'admin',
  'scim',
] as const;

/** Pure files, each named for its question: values in, an answer out. */
export const DECISIONS: readonly string[] = [
  'accounts/name-rules.ts',
  'accounts/password-rules.ts',
  'admin/csv.ts',
  'apps/hosts.ts',
  'apps/requested.ts',
  'apps/rules.ts',
  'attempts/fresh-proof.ts',
  'attempts/method-name.ts',
  'attempts/next-step.ts',
  'attempts/notices.ts',
  'attempts/progress.ts',
  'audit/event-kinds.ts',
  'factors/code.ts',
  'organisations/notices.ts',
  'organisations/permissions.ts',
  'organisations/who-may-join.ts',
  'lost-phone/grounds.ts',
  'lost-phone/notices.ts',
  'platform/durations.ts',
  'platform/html/places.ts',
  'platform/http/local-path.ts',
  'platform/limits/may-try.ts',
  'platform/mail/user-agent.ts',
  'platform/words/nearest.ts',
  'platform/words/showable.ts',
  'policy/demand.ts',
  'policy/notices.ts',
  'policy/stricter.ts',
  'sessions/is-trusted.ts',
  'scim/contract.ts',
  'scim/discovery.ts',
  'scim/filter.ts',
  'scim/group-changes.ts',
  'scim/notices.ts',
  'scim/operations.ts',
  'scim/reaches-account.ts',
  'scim/resources.ts',
  'scim/user-changes.ts',
  'sessions/notices.ts',
  'sessions/scopes.ts',
  'sessions/session-limits.ts',
  'sso/notices.ts',
  'sso/whose-account.ts',
  'sso/identity-limits.ts',
  'sso/ldap/entry.ts',
  'sso/ldap/whole-message.ts',
  'sso/oidc/is-for-us.ts',
  'sso/oidc/who-it-is.ts',
  'sso/saml/is-for-us.ts',
  'sso/saml/names.ts',
  'sso/saml/reads-one-way.ts',
  'sso/saml/who-it-is.ts',
].map((name) => `src/${name}`);

/** What any room may have beside its door; and files that are neither these nor decisions, each for a reason that its first lines give. */
const KINDS = /^(?:store|web|api|admin|pages|[a-z-]+-(?:pages|web|api)|gateway|words)\.ts$/;
export const PARTS: readonly string[] = [
  'accounts/common-passwords.ts',
  'admin/audit-log.ts',
  'admin/webhook.ts',
  'admin/console.ts',
  'admin/people.ts',
  'admin/overview.ts',
  'admin/policy-preview.ts',
  'admin/apps-web.ts',
  'admin/policy-form.ts',
  'admin/policy-web.ts',
  'apps/identity.ts',
  'apps/lookups.ts',
  'apps/rule-lines.ts',
  'attempts/attempt.ts',
  'attempts/steps.ts',
  'audit/chain.ts',
  'manage-account/frame.ts',
  'manage-account/providers.ts',
  'sign-in/by-provider.ts',
  'sign-in/longer-password.ts',
  'sso/connecting.ts',
  'sso/connections.ts',
  'sso/contract.ts',
  'sso/directories.ts',
  'sso/domains.ts',
  'sso/ldap/settings.ts',
  'sso/linking.ts',
  'sso/oidc/failures.ts',
  'sso/failures.ts',
  'sso/oidc/settings.ts',
  'sso/saml/assertion.ts',
  'sso/saml/messages.ts',
  'sso/saml/own-keys.ts',
  'sso/saml/provider-metadata.ts',
  'sso/saml/settings.ts',
  'sso/registry.ts',
  'sso/round-trips.ts',
  'sso/signing-out.ts',
  'audit/marks.ts',
  'audit/reading.ts',
  'audit/record.ts',
  'audit/retention.ts',
  'audit/webhook.ts',
  'factors/contract.ts',
  'factors/registry.ts',
  'lost-phone/bypass-codes.ts',
  'lost-phone/helping.ts',
  'lost-phone/requests.ts',
  'lost-phone/resets.ts',
  'organisations/invitations.ts',
  'organisations/joining.ts',
  'organisations/leaving.ts',
  'organisations/membership.ts',
  'organisations/set-up.ts',
  'policy/deadlines.ts',
  'policy/drafts.ts',
  'policy/preview.ts',
  'policy/rules.ts',
  'scim/groups.ts',
  'scim/refusals.ts',
  'scim/users.ts',
  'sessions/api-keys.ts',
  'sessions/trusted-devices.ts',
].map((name) => `src/${name}`);

/**
 * Factors whose names are words of the product's own flows ("Send verification code", "Recovery Key", "bypass code"), so that flows may say them. The name of
 * every other factor stands in its folder and the registry alone.
 */
const PRODUCT_CONCEPTS: readonly string[] = ['email-code', 'recovery-key', 'bypass-code'];
/** What else a factor is called. */
const ALSO_CALLED: Readonly<Record<string, readonly string[]>> = { totp: ['otp', 'hotp'] };

const LINES_OF_A_FUNCTION = 60;
const LINES_OF_A_FILE = 400;

export type Rule = (house: House) => string[];

/** Every import of every product file, with the file that it stands in. */
const importsIn = (house: House): [SourceFile, ResolvedImport][] =>
  productOf(house).flatMap((file) => file.imports.map((one): [SourceFile, ResolvedImport] => [file, one]));

const place = (file: SourceFile, { line }: { line: number }): string => `${file.path}:${line}`;

export const importsDownwards: Rule = (house) =>
  importsIn(house).flatMap(([file, one]) => {
    if (one.file === undefined) return [];
    if (!house.has(one.file)) return [`${place(file, one)} imports ${one.specifier}, which is not there. Correct the path; it ends in .ts.`];
    const [from, to] = [roomOf(file.path), roomOf(one.file)];
    if (from === to || from === '') return [];
    const [rung, other] = [(LADDER as readonly string[]).indexOf(from), (LADDER as readonly string[]).indexOf(to)];
    if (to === '') return [`${place(file, one)} imports a root file. Take what it knows as an argument; only root files import one another.`];
    if (rung === -1) return [`${file.path} is in a room that is not on the ladder. Put '${from}' on its rung in test/support/house-rules.ts.`];
    return other !== -1 && other < rung
      ? []
      : [`${place(file, one)} imports '${to}', which stands above '${from}'. Take the value as an argument, or move this to the room that needs both.`];
  });

export const entersByDoors: Rule = (house) =>
  importsIn(house).flatMap(([file, one]) => {
    if (one.file === undefined) return [];
    const [from, to] = [roomOf(file.path), roomOf(one.file)];
    if (from === to || to === '') return [];
    // The platform is a library: each of its files is a door, but not the SQL of its tables.
    if (to === 'platform')
      return /\/(?:store\.ts|migrations\/)/.test(one.file) ? [`${place(file, one)} takes the platform's own tables. Import what uses them.`] : [];
    if (one.file === `src/${to}/${to}.ts`) return [];
    if (file.path === 'src/app.ts' && /^src\/[^/]+\/(?:web|api|admin)\.ts$/.test(one.file)) return [];
    return [`${place(file, one)} enters '${to}' by the window. Import it from ${to}/${to}.ts, the door, and export it there.`];
  });

export const factorsAreStrangers: Rule = (house) =>
  importsIn(house).flatMap(([file, one]) => {
    if (one.file === undefined) return [];
    const [from, to] = [factorOf(file.path), factorOf(one.file)];
    if (from === to) return [];
    if (to !== undefined) {
      // The registry lists them, and the door hands on what the flows of a product concept need.
      const known = /^src\/factors\/(?:registry|factors)\.ts$/.test(file.path) && one.file === `src/factors/${to}/${to}.ts`;
      return known
        ? []
        : [`${place(file, one)} imports the factor '${to}'. Ask registry.ts for it through factors/factors.ts, or say what you need in contract.ts.`];
    }
    return roomOf(one.file) === 'platform' || /^src\/factors\/(?:contract|code)\.ts$/.test(one.file)
      ? []
      : [`${place(file, one)} lets a factor see ${one.file}. A factor sees contract.ts, code.ts and the platform; take the rest as an argument.`];
  });

/** 'totp' for src/factors/totp/pages.ts */
const factorOf = (name: string): string | undefined => /^src\/factors\/([^/]+)\//.exec(name)?.[1];

export const decisionsArePure: Rule = (house) =>
  DECISIONS.flatMap((name) => {
    const file = house.get(name);
    if (!file) return [`${name} is listed as a decision and is not there. Take it off the list in test/support/house-rules.ts.`];
    const complaints = file.imports
      .filter((one) => one.file === undefined || (!one.typeOnly && !DECISIONS.includes(one.file)))
      .map(
        (one) =>
          `${place(file, one)} is a decision and imports ${one.specifier}. Take what it gives as an argument; only types and other decisions are imported.`,
      );
    const doing = findInCode(file, /\b(?:await|async|World|Transaction|Queries)\b/g);
    return [
      ...complaints,
      ...doing.map((one) => `${place(file, one)} is a decision and does something (${one.found}). Let the caller do it, and answer with values.`),
    ];
  });

export const filesHaveRoles: Rule = (house) =>
  productOf(house).flatMap(({ path: name }) => {
    const room = roomOf(name);
    const base = name.slice(name.lastIndexOf('/') + 1);
    const folder = name.split('/').at(-2);
    if (room === '' || room === 'platform' || base === `${folder}.ts` || KINDS.test(base)) return [];
    if (DECISIONS.includes(name) || PARTS.includes(name)) return [];
    return [
      `${name} has no role. Name it for the question that it decides and put it on the list of decisions, or into its room's store.ts, web.ts or pages.ts.`,
    ];
  });

/** By what is there when the program runs: types may look back at who uses them, in their own room. */
export const noCycles: Rule = (house) => {
  const complaints: string[] = [];
  const done = new Set<string>();
  const visit = (name: string, way: readonly string[]): void => {
    if (way.includes(name)) {
      const cycle = [...way.slice(way.indexOf(name)), name];
      complaints.push(`${cycle.join(' -> ')} is a cycle. Move what both need into a file below the two.`);
    }
    if (done.has(name)) return;
    done.add(name);
    for (const one of house.get(name)?.imports ?? []) if (one.file !== undefined && !one.typeOnly) visit(one.file, [...way, name]);
  };
  for (const { path: name } of productOf(house)) visit(name, []);
  return complaints;
};

export const noDeadFiles: Rule = (house) => {
  const reached = new Set<string>();
  const visit = (name: string): void => {
    if (reached.has(name)) return;
    reached.add(name);
    for (const { file } of house.get(name)?.imports ?? []) if (file !== undefined) visit(file);
  };
  visit('src/cli.ts');
  return productOf(house)
    .filter((file) => !reached.has(file.path))
    .map((file) => `${file.path} is reached from no command. Import it where it belongs, or delete it.`);
};

/** A type may be exported for whoever calls what its own file exports. */
export const noDeadExports: Rule = (house) => {
  const used = new Set([...house.values()].flatMap((file) => file.imports.flatMap((one) => namesUsed(house, file, one).map((name) => `${one.file} ${name}`))));
  return productOf(house).flatMap((file) =>
    file.exports
      .filter(({ name, isType }) => !used.has(`${file.path} ${name}`) && !(isType && findInCode(file, wordOf(name)).length > 1))
      .map(({ name }) => `${file.path} exports ${name}, which nobody imports. Take the 'export' away, or delete it.`),
  );
};

function namesUsed(house: House, file: SourceFile, one: ResolvedImport): string[] {
  if (!one.names.includes('*')) return [...one.names];
  if (one.namespace !== undefined) return [...file.source.code.matchAll(new RegExp(`\\b${one.namespace}\\.([\\w$]+)`, 'g'))].map((found) => found[1]!);
  const all = house.get(one.file ?? '')?.exports.map(({ name }) => name) ?? [];
  // What a door hands on with `*` is used where somebody who came through the door says it.
  return one.exported ? all.filter((name) => usedBeyond(house, file.path, name)) : all;
}

function usedBeyond(house: House, door: string, name: string): boolean {
  return [...house.values()].some((file) => file.path !== door && file.imports.some((one) => one.file === door) && findInCode(file, wordOf(name)).length > 0);
}

const wordOf = (name: string): RegExp => new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`, 'g');

/** The linter bans the plain names; this sees what goes around it. */
export const onlyThePlatformKnowsTheWorld: Rule = (house) =>
  productOf(house).flatMap((file) => {
    const complaints = findInCode(file, /\bMath\.random\b/g).map((one) => `${place(file, one)} uses ${one.found}, which can be guessed. Take world.random.`);
    const clock = file.path === 'src/platform/real.ts' ? [] : findInCode(file, /\bDate\.now\b|\bnew Date\(\s*\)/g);
    for (const one of clock) complaints.push(`${place(file, one)} reads the clock. Take world.clock.now(), or an instant as an argument.`);
    if (roomOf(file.path) === '' || roomOf(file.path) === 'platform') return complaints;
    for (const one of file.imports) {
      if (one.specifier.startsWith('node:'))
        complaints.push(`${place(file, one)} imports ${one.specifier}. Take it from the World: clock, random, keys, database, log.`);
    }
    for (const one of findInCode(
      file,
      /(?<![\w$.])(?:Date|process|globalThis|global|crypto|performance|Temporal|fetch|console|set(?:Timeout|Interval|Immediate))\b(?!:)/g,
    )) {
      complaints.push(`${place(file, one)} uses ${one.found}. Take it from the World: world.clock.now(), world.random, world.log, platform/background.ts.`);
    }
    return complaints;
  });

/** What checks of src/apps/lookups.ts read. They remember it until a transaction of this process ends, or another process writes. */
const REMEMBERED = 'sessions|app_sessions|accounts|memberships|policies|policy_deadlines|factors|apps|group_members|organisation_groups';

export const whatIsRememberedIsWrittenInTransactions: Rule = (house) => {
  const outside = new RegExp(
    `\\bquer(?:y|ies)\\s*\\.(?:insertInto|updateTable|deleteFrom)\\('(?:${REMEMBERED})'\\)(?!\\.set\\(\\{ last_seen_at: now \\}\\))`,
    'g',
  );
  return productOf(house).flatMap((file) =>
    findInText(file, outside).map((one) => `${place(file, one)} writes outside of a transaction what checks remember. Take a Transaction, not Queries.`),
  );
};

export const nothingIsLong: Rule = (house) =>
  [...house.values()]
    .filter(
      (file) => !file.path.endsWith('.test.ts') && !file.path.startsWith('bench/') && (file.path.startsWith('src/') || file.path.startsWith('test/support/')),
    )
    .flatMap((file) => {
      const lines = file.text.trimEnd().split('\n').length;
      const long = functionsOf(file.source).filter((one) => one.lines > LINES_OF_A_FUNCTION);
      return [
        ...(lines > LINES_OF_A_FILE
          ? [`${file.path} has ${lines} lines, over ${LINES_OF_A_FILE}. Take the part that has a name of its own into a file of its own.`]
          : []),
        ...long.map((one) => `${place(file, one)} ${one.name} has ${one.lines} lines, over ${LINES_OF_A_FUNCTION}. Give a part of it a name, and a function.`),
      ];
    });

export const factorsAreUnnamed: Rule = (house) => {
  const folders = [...new Set(productOf(house).flatMap((file) => factorOf(file.path) ?? []))].filter((folder) => !PRODUCT_CONCEPTS.includes(folder));
  return productOf(house).flatMap((file) => {
    if (file.path === 'src/factors/registry.ts') return [];
    return folders
      .filter((folder) => folder !== factorOf(file.path))
      .flatMap((folder) => {
        const found = findInText(file, nameOf([folder, folder.replaceAll('-', ''), folder.replaceAll('-', ' '), ...(ALSO_CALLED[folder] ?? [])]));
        return found.map(
          (one) => `${place(file, one)} names the factor '${folder}' (${one.found}). Ask what it can do, by contract.ts: stands, strength, provesEmail, words.`,
        );
      });
  });
};

/** In any spelling: totp, TOTP, newTotpSecret. `otpauth:` is the scheme of a link, which html.ts has to let through. */
function nameOf(names: readonly string[]): RegExp {
  const ways = names.flatMap((name) => [
    `(?<![a-zA-Z])${name}(?![a-z])`,
    `${name.charAt(0).toUpperCase()}${name.slice(1)}(?![a-z])`,
    `(?<![A-Z])${name.toUpperCase()}(?![A-Z])`,
  ]);
  return new RegExp(ways.join('|'), 'g');
}

/** Every requirement that the code claims to meet is shown by a test that says so. */
export const claimsAreShown: Rule = (house) => {
  const shown = new Set(
    [...house.values()].filter((file) => file.path.endsWith('.test.ts')).flatMap((file) => titlesOf(file).flatMap((title) => title.match(REQUIREMENT) ?? [])),
  );
  return productOf(house).flatMap((file) =>
    findInText(file, REQUIREMENT)
      .filter((one) => !shown.has(one.found))
      .map((one) => `${place(file, one)} claims ${one.found}, which no test shows. Write the test, with ${one.found} in its title, or take the claim away.`),
  );
};
