import { JSON_OPTION, Misunderstanding, withWorld, type Command } from './command.ts';

export const showPolicy: Command = {
  name: 'policy',
  options: JSON_OPTION,
  does: 'Show the Security Policy of the installation.',
  async run({ answer }) {
    const { readPolicy } = await import('../policy/policy.ts');
    await withWorld(async (world) => {
      const { rules } = await readPolicy(world.database.query);
      answer(sentenceOf(rules.twoFactor), { twoFactor: rules.twoFactor });
    });
  },
};

export const setPolicy: Command = {
  name: 'policy set',
  words: ['POLICY'],
  options: JSON_OPTION,
  does: 'Set it, also while the portal runs: off, optional or required.',
  async run({ words: [wanted], answer }) {
    const policy = await import('../policy/policy.ts');
    const twoFactor = policy.TWO_FACTOR_POLICIES.find((one) => one === wanted);
    if (!twoFactor) throw new Misunderstanding(`The policy is one of ${policy.TWO_FACTOR_POLICIES.join(', ')}, not '${wanted}'.`);
    await withWorld(async (world) => {
      if (!(await world.database.transaction((transaction) => policy.setPolicy(world, transaction, twoFactor))))
        throw new Error('Somebody else changed the policy at the same moment. Look at it, and try again.');
      answer(sentenceOf(twoFactor), { twoFactor });
    });
  },
};

const MEANINGS = {
  off: 'off: nobody can add a method. Who has one is still asked for it.',
  optional: 'optional: everybody may turn it on for themselves.',
  required: 'required: who has none is asked to set it up at the next sign-in.',
} as const;

const sentenceOf = (twoFactor: keyof typeof MEANINGS): string => `Two-factor authentication is ${MEANINGS[twoFactor]}`;
