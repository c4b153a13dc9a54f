import { JSON_OPTION, Misunderstanding, organisationFrom, ORGANISATION_OPTION, textOf, withWorld, type Command } from './command.ts';

export const createOwner: Command = {
  name: 'admin create-owner',
  words: ['EMAIL'],
  options: { organisation: { value: 'NAME', required: true, does: 'The name of the new organisation.' }, ...JSON_OPTION },
  does: 'Make somebody the owner of a new organisation, also when nobody else can get in any more.',
  more: 'Whoever has no verified account yet gets a link: it is printed here, works once, and only for that address. Both are recorded in the audit log.',
  async run(given) {
    const [email = ''] = given.words;
    const { appointOwner } = await import('../organisations/organisations.ts');
    const { isoOf } = await import('../platform/words/times.ts');
    await withWorld(async (world) => {
      const name = textOf(given, 'organisation')!;
      const appointed = await appointOwner(world, { email, name });
      switch (appointed.kind) {
        case 'refused':
          if (appointed.reason === 'address') throw new Misunderstanding(`'${email}' is not an email address such as name@example.com.`);
          if (appointed.reason === 'name') throw new Misunderstanding(`The name of an organisation has 1 to 100 characters that can be shown.`);
          throw new Error(`${email} is the owner of an organisation of that name already. Nothing was done.`);
        case 'organisation':
          return given.answer(`${email} is the owner of ${appointed.organisation.name}, and is told by mail.`, {
            organisation: appointed.organisation,
            owner: email,
          });
        case 'link': {
          const until = isoOf(appointed.expiresAt);
          const sentence = `Nobody has a verified account with ${email}. Send them this link, by a way that nobody else reads. It works once, until ${until}:\n${appointed.link}`;
          return given.answer(sentence, { link: appointed.link, email, expiresAt: until });
        }
      }
    });
  },
};

export const transferOwnership: Command = {
  name: 'admin transfer-ownership',
  words: ['EMAIL'],
  options: { ...ORGANISATION_OPTION, ...JSON_OPTION },
  does: 'Make a member the owner of their organisation, where its owner is gone.',
  more: 'Whoever was it is an admin from then on. Both are told by mail, and it is recorded in the audit log.',
  async run(given) {
    const [email = ''] = given.words;
    const { handOver } = await import('../organisations/organisations.ts');
    await withWorld(async (world) => {
      const organisation = await organisationFrom(world, given);
      const done = await handOver(world, { organisation, email });
      if (!done.ok) throw new Error(NOT_HANDED_OVER[done.reason](email, organisation.name));
      const sentence = `${email} is the owner of ${organisation.name}, and ${done.before} an admin. Both are told by mail.`;
      given.answer(sentence, { organisation, owner: email, before: done.before });
    });
  },
};

const NOT_HANDED_OVER = {
  'not-a-member': (email: string, name: string) => `Nobody with ${email} belongs to ${name}. Nothing was done.`,
  suspended: (email: string, name: string) => `${email} is suspended in ${name}, and could not look after it. Nothing was done.`,
  'owns-it-already': (email: string, name: string) => `${email} is the owner of ${name} already. Nothing was done.`,
} as const;

export const issueBypass: Command = {
  name: 'admin issue-bypass',
  words: ['EMAIL'],
  options: {
    reason: { value: 'TEXT', required: true, does: 'Why. It is kept in the audit log.' },
    check: { value: 'HOW', required: true, does: 'How you know who asks: in-person, video-call, called-back or other.' },
    note: { value: 'TEXT', does: 'More about the check; has to be said for other.' },
    ...JSON_OPTION,
  },
  does: 'Issue a bypass code for somebody whom nobody in their organisation may help, an owner say.',
  more: 'It is printed once, works once beside their password, and for an hour. They are told by mail. “I lost my phone” is how accounts are stolen: check who asks.',
  async run(given) {
    const [email = ''] = given.words;
    const { groundsFrom, issueBypassCodeByOperator } = await import('../lost-phone/lost-phone.ts');
    const { isoOf } = await import('../platform/words/times.ts');
    const grounds = groundsFrom({ reason: textOf(given, 'reason') ?? '', check: textOf(given, 'check') ?? '', note: textOf(given, 'note') ?? '' });
    if (!grounds.ok)
      throw new Misunderstanding(
        Object.values(grounds.refused)
          .filter((sentence) => sentence !== undefined)
          .join(' '),
      );
    await withWorld(async (world) => {
      const issued = await issueBypassCodeByOperator(world, { email, grounds: grounds.grounds });
      if (issued.ok) {
        const until = isoOf(issued.expiresAt);
        const sentence = `${issued.code}\nThe bypass code of ${email}, until ${until}. It can't be shown again. Tell it to nobody but them.`;
        return given.answer(sentence, { code: issued.code, email, expiresAt: until });
      }
      if (issued.reason === 'not-found') throw new Error(`Nobody has a verified account with ${email}.`);
      if (issued.reason === 'two-factor-off') throw new Error(`${email} signs in with the password alone: there is nothing to bypass.`);
      if (issued.reason === 'too-many') throw new Error(`Many codes were issued for ${email}. The next one can be, from ${isoOf(issued.retryAt)} on.`);
      throw new Error('Something about the account changed at the same moment. Nothing was done; try again.');
    });
  },
};
