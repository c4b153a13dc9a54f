import { bypassCode } from './bypass-code/bypass-code.ts';
import type { AnyFactor } from './contract.ts';
import { emailCode } from './email-code/email-code.ts';
import { recoveryKey } from './recovery-key/recovery-key.ts';
import { totp } from './totp/totp.ts';

/** Every second factor there is, the strongest first. A new one is a folder beside these and a line here. */
export const factors: readonly AnyFactor[] = [totp, recoveryKey, emailCode, bypassCode];

const byKind = new Map(factors.map((factor) => [factor.kind, factor]));

/** Throws for a kind that no factor has: it was stored by a release that knew more. */
export function factorOf(kind: string): AnyFactor {
  const factor = byKind.get(kind);
  if (!factor) throw new Error(`There is no factor '${kind}'.`);
  return factor;
}
