/**
 * Whose account it is that a provider speaks of: the one place that decides it. A provider's own name for somebody is the key, once it was linked. Until
 * then an address says something only where the provider verified it and the organisation has shown that the domain is its own; and not even then of
 * an account that another organisation relies on, or that this provider knows under another name already (an address that was given to somebody else).
 */
export interface Arrival {
  /** Whose the provider's name for them is, by a link that was made before. */
  readonly linkedTo: string | undefined;
  /** The provider says that it verified the address, or the administrator says it of the provider; and the domain is the organisation's own. */
  readonly addressIsBelieved: boolean;
  /** The policy lets addresses of this domain join. */
  readonly mayJoin: boolean;
  /** Who has the address here, verified. */
  readonly holder: { readonly accountId: string; readonly isLinkedOtherwise: boolean; readonly belongsElsewhere: boolean } | undefined;
}

export type WhoseAccount =
  | { readonly kind: 'linked'; readonly accountId: string }
  /** The account of that address, from now on linked. */
  | { readonly kind: 'link'; readonly accountId: string }
  | { readonly kind: 'create' }
  /** Somebody shows first, by what the account asks for, that an account is theirs. */
  | { readonly kind: 'prove-first' }
  | { readonly kind: 'may-not-join' };

export function whoseAccount({ linkedTo, addressIsBelieved, mayJoin, holder }: Arrival): WhoseAccount {
  if (linkedTo !== undefined) return { kind: 'linked', accountId: linkedTo };
  if (!addressIsBelieved) return { kind: 'prove-first' };
  if (holder) return holder.isLinkedOtherwise || holder.belongsElsewhere ? { kind: 'prove-first' } : { kind: 'link', accountId: holder.accountId };
  return mayJoin ? { kind: 'create' } : { kind: 'may-not-join' };
}

/**
 * Whether the provider asked for a second factor that counts here (AL-8): it says so in words that the owner of the connection named, and the account is of
 * no other organisation, whose policy it would meet without having been asked.
 */
export function secondFactorCounts({
  said,
  words,
  belongsElsewhere,
}: {
  said: readonly string[];
  words: readonly string[];
  belongsElsewhere: boolean;
}): boolean {
  return !belongsElsewhere && said.some((word) => words.includes(word));
}
