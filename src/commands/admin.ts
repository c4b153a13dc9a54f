import { JSON_OPTION, Misunderstanding, textOf, withWorld, type Command } from './command.ts';

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
