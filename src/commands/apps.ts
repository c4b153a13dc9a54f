import { JSON_OPTION, Misunderstanding, textOf, withWorld, type Command } from './command.ts';

const NEEDS = 'signed-in, two-factor or open';

export const listAppsCommand: Command = {
  name: 'apps list',
  options: JSON_OPTION,
  does: 'List the apps that the portal stands in front of.',
  async run(given) {
    const { listAllApps, rulesInWords } = await import('../apps/apps.ts');
    await withWorld(async ({ database }) => {
      const apps = await listAllApps(database.query);
      const lines = apps.map(
        ({ host, name, organisationName, rules, last }) =>
          `${host}  ${name} (${organisationName}): ${rulesInWords([...rules])
            .split('\n')
            .filter(Boolean)
            .concat(last)
            .join('; ')}`,
      );
      given.answer(
        lines.length === 0 ? 'There is no app yet.' : lines.join('\n'),
        apps.map(({ host, name, organisationName: organisation, rules, last }) => ({ host, name, organisation, rules, last })),
      );
    });
  },
};

export const addAppCommand: Command = {
  name: 'apps add',
  options: {
    host: { value: 'HOST', required: true, does: 'The host that people open, with its port where it has one: wiki.example.org, or *.apps.example.org.' },
    name: { value: 'NAME', required: true, does: 'What people call it.' },
    rule: { value: 'RULE', does: `What it asks for: ${NEEDS} (signed-in unless told).` },
    organisation: { value: 'NAME', does: 'Whose it is, where there are several organisations.' },
    ...JSON_OPTION,
  },
  does: 'Put an app behind the portal; it takes effect while the server runs.',
  async run(given) {
    const { insertApp, NEEDS: needs } = await import('../apps/apps.ts');
    const { commandLine } = await import('../audit/audit.ts');
    const { listOrganisations } = await import('../organisations/organisations.ts');
    const last = needs.find((need) => need === (textOf(given, 'rule') ?? 'signed-in'));
    if (!last) throw new Misunderstanding(`--rule is ${NEEDS}.`);
    await withWorld(async (world) => {
      const wanted = textOf(given, 'organisation');
      const all = await listOrganisations(world.database.query);
      const found = all.filter(({ name }) => wanted === undefined || name === wanted);
      if (found.length !== 1)
        throw new Error(
          all.length === 0
            ? 'There is no organisation yet. Open the link that the server printed, or say: twinlock admin create-owner'
            : `Say which organisation: ${all.map(({ name }) => `--organisation '${name}'`).join(' or ')}.`,
        );
      const fields = {
        organisationId: found[0]!.id,
        accountId: null,
        by: 'command line',
        from: commandLine,
        name: textOf(given, 'name') ?? '',
        host: textOf(given, 'host') ?? '',
        rules: [],
        last,
      };
      const added = await world.database.transaction((transaction) => insertApp(world, transaction, fields));
      if (!added.ok) throw new Error(REFUSALS[added.reason]);
      given.answer(`${fields.name} is behind the portal, at ${fields.host}.`, { id: added.id });
    });
  },
};

export const removeAppCommand: Command = {
  name: 'apps remove',
  words: ['HOST'],
  options: JSON_OPTION,
  does: 'Take an app out; from then on nobody is let through to it.',
  async run(given) {
    const { deleteApp, listAllApps } = await import('../apps/apps.ts');
    const { commandLine } = await import('../audit/audit.ts');
    await withWorld(async (world) => {
      const [host = ''] = given.words;
      const app = (await listAllApps(world.database.query)).find((one) => one.host === host.toLowerCase());
      if (!app) throw new Error(`There is no app at ${host}. 'twinlock apps list' says which there are.`);
      const { id, organisationId } = app;
      await world.database.transaction((transaction) =>
        deleteApp(world, transaction, { organisationId, id, accountId: null, by: 'command line', from: commandLine }),
      );
      given.answer(`${app.name} is no longer behind the portal.`, { id });
    });
  },
};

const REFUSALS = {
  'not-allowed': 'That may not be done.',
  'not-found': 'There is no such app.',
  name: 'A name has 1 to 60 characters that can be shown.',
  host: 'That is no host. Write it as in wiki.example.org, wiki.example.org:8443 or *.apps.example.org.',
  'host-taken': 'There is an app at this host already.',
  'own-host': 'That is the portal itself.',
  'too-many': 'The organisation has as many apps as one may have.',
  'changed-meanwhile': 'It was changed in the meantime.',
} as const;
