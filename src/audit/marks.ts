// Marks of a place in the chain, signed with a key that stands outside the database: checkpoints, which are kept elsewhere, and the beginning of a log that was pruned.
import { isSignedBy, makeSigner } from '../platform/secrets/signing.ts';
import type { World } from '../platform/world.ts';

export interface Mark {
  readonly origin: string;
  readonly sequence: number;
  readonly hash: string;
  /** Epoch milliseconds. */
  readonly madeAt: number;
  readonly publicKey: string;
  readonly signature: string;
}

/** What it says of its place. A signature of one kind is worth nothing as another: a checkpoint allows nobody to cut off what lies before it. */
export type MarkKind = 'checkpoint' | 'beginning';

export function makeMark(world: World, kind: MarkKind, { sequence, hash }: { sequence: number; hash: string }): Mark {
  const signer = signerOf(world);
  const said = { origin: world.installation.origin, sequence, hash, madeAt: world.clock.now(), publicKey: signer.publicKey };
  return { ...said, signature: signer.sign(signedText(kind, said)) };
}

export function isMarkOurs(world: World, kind: MarkKind, { signature, ...said }: Mark): boolean {
  return said.publicKey === signerOf(world).publicKey && isSignedBy(said.publicKey, signedText(kind, said), signature);
}

const signedText = (kind: MarkKind, { origin, sequence, hash, madeAt, publicKey }: Omit<Mark, 'signature'>): string =>
  JSON.stringify([`twinlock audit ${kind}`, origin, sequence, hash, madeAt, publicKey]);

const signerOf = ({ keys }: World) => makeSigner(keys.hashBytes('audit checkpoint'));
