import type { Rules } from '../policy/policy.ts';
import { JSON_OPTION, Misunderstanding, textOf, withWorld, type Command } from './command.ts';

export const showPolicy: Command = {
  name: 'policy',
  options: JSON_OPTION,
  does: 'Show the Security Policy of the installation.',
  async run({ answer }) {
    const { readPolicy } = await import('../policy/policy.ts');
    await withWorld(async (world) => {
      const { rules } = await readPolicy(world.database.query);
      answer(sentenceOf(rules), { twoFactor: rules.twoFactor, trustedDeviceDays: rules.trustedDeviceDays });
    });
  },
};

export const setPolicy: Command = {
  name: 'policy set',
  words: ['POLICY'],
  options: {
    'trusted-devices': {
      value: 'DAYS',
      does: 'For how many days a device is trusted that somebody wants remembered: 0, never, to 30. As it was, unless told.',
    },
    ...JSON_OPTION,
  },
  does: 'Set it, also while the portal runs: off, optional or required.',
  more: 'It holds for whoever belongs to no organisation, and in organisations that have no Security Policy of their own.',
  async run(given) {
    const [wanted] = given.words;
    const policy = await import('../policy/policy.ts');
    const twoFactor = policy.TWO_FACTOR_POLICIES.find((one) => one === wanted);
    if (!twoFactor) throw new Misunderstanding(`The policy is one of ${policy.TWO_FACTOR_POLICIES.join(', ')}, not '${wanted}'.`);
    const trustedDeviceDays = daysFrom(textOf(given, 'trusted-devices'), policy.TRUSTED_DAYS_MOST);
    await withWorld(async (world) => {
      const wants = trustedDeviceDays === undefined ? {} : { trustedDeviceDays };
      if (!(await world.database.transaction((transaction) => policy.setPolicy(world, transaction, twoFactor, wants))))
        throw new Error('Somebody else changed the policy at the same moment. Look at it, and try again.');
      const { rules } = await policy.readPolicy(world.database.query);
      given.answer(sentenceOf(rules), { twoFactor: rules.twoFactor, trustedDeviceDays: rules.trustedDeviceDays });
    });
  },
};

function daysFrom(text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,3}$/.test(text) || Number(text) > most) throw new Misunderstanding(`A device is trusted for 0 to ${most} days, not '${text}'.`);
  return Number(text);
}

const MEANINGS = {
  off: 'off: nobody can add a method. Who has one is still asked for it.',
  optional: 'optional: everybody may turn it on for themselves.',
  required: 'required: who has none is asked to set it up at the next sign-in.',
} as const;

function sentenceOf({ twoFactor, trustedDeviceDays: trusted }: Pick<Rules, 'twoFactor' | 'trustedDeviceDays'>): string {
  const devices =
    trusted === 0 ? 'No device is trusted.' : `A device that somebody wants remembered is trusted for ${trusted === 1 ? 'a day' : `${trusted} days`}.`;
  return `Two-factor authentication is ${MEANINGS[twoFactor]} ${devices}`;
}
