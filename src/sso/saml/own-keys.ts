// The keys that we sign with. A second one is published beside the first, so that the provider knows it before anything is signed by it. Part of saml.ts.
import { makeKeyPair } from '../../platform/secrets/certificates.ts';
import type { Tools } from '../contract.ts';
import type { SamlSettings } from './settings.ts';

type Maker = Pick<Tools, 'now' | 'random' | 'installationName'>;

export async function withKeys({ now, random, installationName }: Maker, settings: SamlSettings): Promise<SamlSettings> {
  const { ownKeys, signs, keyChange } = settings;
  const make = () => makeKeyPair({ name: installationName, now, random });
  const [first, second] = ownKeys;
  const done = { ...settings, keyChange: 'keep' as const };
  if (!signs) return done;
  if (!first) return { ...done, ownKeys: [await make()] };
  if (keyChange === 'add' && !second) return { ...done, ownKeys: [first, await make()] };
  return keyChange === 'switch' && second ? { ...done, ownKeys: [second] } : done;
}
