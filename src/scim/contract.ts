// What SCIM calls things (RFC 7643, RFC 7644), and what is kept of a person beside their account and membership. The door is scim.ts.

export const SCHEMAS = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  config: 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig',
  type: 'urn:ietf:params:scim:schemas:core:2.0:ResourceType',
  schema: 'urn:ietf:params:scim:schemas:core:2.0:Schema',
} as const;

/** As the directory has somebody. Text is not empty; what it does not say is null. */
export interface UserState {
  readonly userName: string;
  readonly externalId: string | null;
  readonly active: boolean;
  readonly email: string | null;
  readonly displayName: string | null;
  readonly givenName: string | null;
  readonly familyName: string | null;
}

export interface GroupState {
  readonly name: string | undefined;
  readonly externalId: string | null | undefined;
  readonly members: readonly { readonly how: 'add' | 'remove' | 'replace'; readonly accountIds: readonly string[] }[];
}

/** Of RFC 7644, 3.12. */
export type ScimType = 'invalidFilter' | 'tooMany' | 'uniqueness' | 'mutability' | 'invalidSyntax' | 'invalidPath' | 'noTarget' | 'invalidValue';

/** `detail`: a sentence for whoever looks after the directory. */
export type Read<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly scimType: ScimType; readonly detail: string };

export type Json = Readonly<Record<string, unknown>>;

export interface Operation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string | undefined;
  readonly value: unknown;
}
