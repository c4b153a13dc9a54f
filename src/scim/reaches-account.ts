/**
 * What of a change by the directory reaches the account itself, and is not only kept beside it. The directory's key may lie about, and whoever writes the directory may be
 * anybody there: an address that they choose must never be a way into an account that somebody has got into by another ("Forgot password?" leads to it).
 */
export interface Standing {
  readonly role: 'owner' | 'admin' | 'auditor' | 'member';
  /** To another organisation, too: what an account is called there is none of this one's business. */
  readonly belongsElsewhere: boolean;
  /** The account's address is of a domain that the organisation has shown to be its own. */
  readonly addressIsOurs: boolean;
  /** Nobody has ever got in: there is no password, no provider that knows them, and no second factor. */
  readonly isUnused: boolean;
  /** The organisation's provider knows them, and is required of both addresses: no password opens the account, and the provider goes by its own name for them. */
  readonly providerAlone: boolean;
  /** What it is to be; undefined where that is no address. */
  readonly next: { readonly isOurs: boolean; readonly isTaken: boolean } | undefined;
}

export function reachesAccount({ role, belongsElsewhere, addressIsOurs, isUnused, providerAlone, next }: Standing): {
  readonly name: boolean;
  readonly address: boolean;
} {
  const isManaged = role !== 'owner' && !belongsElsewhere && addressIsOurs;
  const opensNothing = isUnused || providerAlone;
  return { name: isManaged, address: isManaged && role === 'member' && opensNothing && next !== undefined && next.isOurs && !next.isTaken };
}
