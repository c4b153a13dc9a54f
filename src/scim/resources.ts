// How people and groups are written as SCIM resources (RFC 7643, 4), and what is left out of them. The door is scim.ts.
import { SCHEMAS, type Json, type UserState } from './contract.ts';

export interface UserShown extends UserState {
  readonly id: string;
  /** Of the account; what the directory calls them comes first. */
  readonly ownName: string;
  readonly ownEmail: string;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  /** RFC 3339. */
  readonly created: string;
  readonly changed: string;
}

export interface GroupShown {
  readonly id: string;
  readonly name: string;
  readonly externalId: string | null;
  readonly members: readonly { readonly id: string; readonly name: string }[];
  readonly created: string;
  readonly changed: string;
}

/** `base`: the address that SCIM is at. */
export function userResource(base: string, user: UserShown): Json {
  const { id, externalId, userName, displayName, givenName, familyName } = user;
  const shownAs = displayName ?? user.ownName;
  return {
    schemas: [SCHEMAS.user],
    id,
    ...(externalId === null ? {} : { externalId }),
    userName,
    name: { formatted: shownAs, ...(givenName === null ? {} : { givenName }), ...(familyName === null ? {} : { familyName }) },
    displayName: shownAs,
    emails: [{ value: user.email ?? user.ownEmail, type: 'work', primary: true }],
    active: user.active,
    groups: user.groups.map((group) => ({ value: group.id, display: group.name, $ref: `${base}/Groups/${group.id}`, type: 'direct' })),
    meta: { resourceType: 'User', created: user.created, lastModified: user.changed, location: `${base}/Users/${id}` },
  };
}

export function groupResource(base: string, { id, name, externalId, members, created, changed }: GroupShown): Json {
  return {
    schemas: [SCHEMAS.group],
    id,
    ...(externalId === null ? {} : { externalId }),
    displayName: name,
    members: members.map((member) => ({ value: member.id, display: member.name, $ref: `${base}/Users/${member.id}`, type: 'User' })),
    meta: { resourceType: 'Group', created, lastModified: changed, location: `${base}/Groups/${id}` },
  };
}

/** RFC 7644, 3.9: `attributes` names all that is wanted, `excludedAttributes` what is not. Whole attributes; ids and schemas are always there. */
export function leaveOut(resource: Json, { attributes, excluded }: { attributes: readonly string[]; excluded: readonly string[] }): Json {
  const always = ['schemas', 'id'];
  const headOf = (name: string): string =>
    name
      .replace(/^urn:.*:(?=[^:]+$)/i, '')
      .split('.')[0]!
      .toLowerCase();
  const [wanted, unwanted] = [attributes.map(headOf), excluded.map(headOf)];
  return Object.fromEntries(
    Object.entries(resource).filter(([name]) => {
      const key = name.toLowerCase();
      if (always.includes(key)) return true;
      return (wanted.length === 0 || wanted.includes(key)) && !unwanted.includes(key);
    }),
  );
}

export const listOf = (resources: readonly Json[], { total, start }: { total: number; start: number }): Json => ({
  schemas: [SCHEMAS.list],
  totalResults: total,
  startIndex: start,
  itemsPerPage: resources.length,
  Resources: resources,
});
