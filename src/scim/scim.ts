/**
 * SCIM 2.0 (RFC 7643, RFC 7644): an organisation's own directory makes people and groups here, changes them, and takes them away. It asks by an API key of the
 * organisation with the scope `scim`. Always: it reaches that organisation alone, and ids of others are not there; it makes members, and nothing more of
 * anybody; the owner is nobody's to keep out; whoever becomes inactive is signed out everywhere in the same transaction; an account is made only for an address of a
 * domain that the organisation has shown to be its own, and one that was there joins only as single sign-on would connect it. Filters and operations are bounded.
 */
export type { Json } from './contract.ts';
export { PAGE_MOST, resourceTypes, schemas, serviceProviderConfig } from './discovery.ts';
export { readFilter, type Filter } from './filter.ts';
export { patchedGroup, wholeGroup } from './group-changes.ts';
export { listGroups, makeGroup, readGroup, removeGroup, setGroup } from './groups.ts';
export { isObject, operationsOf } from './operations.ts';
export { readOr, scimProblem } from './refusals.ts';
export { groupResource, leaveOut, listOf, userResource } from './resources.ts';
export { NotComparable } from './store.ts';
export { patchedUser, wholeUser } from './user-changes.ts';
export { changeUser, createUser, deleteUser, listUsers, readUser } from './users.ts';
