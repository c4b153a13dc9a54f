/**
 * Sign-in by an organisation's own identity provider, as its first factor: by OpenID Connect, by SAML, by a directory. Connections belong to an
 * organisation, and its owner alone sets them up: a provider says who everybody is. A domain that the organisation has shown to be its own leads to one.
 * Whose account it is, is decided by the link that was made once (whose-account.ts), by the provider's own name for somebody and never by an address alone;
 * what is asked for besides is the Security Policy's. A browser that comes back is known by a cookie to be the one that left, and each answer counts once.
 */
export {
  addConnection,
  changeConnection,
  countByPassword,
  domainOf,
  findConnection,
  findConnectionFor,
  findConnectionOf,
  hasConnection,
  listConnections,
  noteTested,
  PROVIDER_REQUIRED,
  removeConnection,
  setConnection,
  type Connection,
  type ConnectionChanged,
  type ConnectionFields,
  type ConnectionState,
} from './connections.ts';
export type { AnyProtocol, Failure, Identity, SettingField } from './contract.ts';
export { checkPasswordAt } from './directories.ts';
export { addDomain, checkDomain, isVerifiedFor, leadDomain, listDomains, removeDomain, type Domain, type DomainChanged } from './domains.ts';
export { connectWaiting, findWaiting, keepToConnect, waitsToConnect } from './connecting.ts';
export { findLinked, keepProviderSession, listLinks, recognise, unlink, unlinkFrom, type ByProvider, type Link } from './linking.ts';
export { protocolOf, protocols } from './registry.ts';
export { addressesOf, arrive, leave, redirecting, sweepSso, type Arrived } from './round-trips.ts';
export { whoseAccount } from './whose-account.ts';
export { signOutUrl } from './signing-out.ts';
export { deleteEveryRoundTrip as endEveryRoundTrip } from './store.ts';
