// What the portal says of its SCIM (RFC 7643, 5 to 7): what it can do, what there is, and what is kept of it. The door is scim.ts.
import { SCHEMAS, type Json } from './contract.ts';

export const PAGE_MOST = 200;

export const serviceProviderConfig = (base: string): Json => ({
  schemas: [SCHEMAS.config],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: PAGE_MOST },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: false },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'API key',
      description: 'An API key of the organisation with the scope scim, as Authorization: Bearer twl_…',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

export const resourceTypes = (base: string): readonly Json[] => [
  typeOf(base, { id: 'User', endpoint: '/Users', schema: SCHEMAS.user }),
  typeOf(base, { id: 'Group', endpoint: '/Groups', schema: SCHEMAS.group }),
];

const typeOf = (base: string, { id, endpoint, schema }: { id: string; endpoint: string; schema: string }): Json => ({
  schemas: [SCHEMAS.type],
  id,
  name: id,
  endpoint,
  schema,
  schemaExtensions: [],
  meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${id}` },
});

export const schemas = (base: string): readonly Json[] => [
  schemaOf(base, {
    id: SCHEMAS.user,
    name: 'User',
    attributes: [
      attribute('userName', { required: true, uniqueness: 'server' }),
      attribute('externalId', { caseExact: true }),
      attribute('displayName'),
      complex('name', [attribute('formatted'), attribute('givenName'), attribute('familyName')]),
      complex('emails', [attribute('value'), attribute('type'), attribute('primary', { type: 'boolean' })], { multiValued: true }),
      attribute('active', { type: 'boolean' }),
      complex('groups', [attribute('value', READ_ONLY), attribute('display', READ_ONLY)], { multiValued: true, ...READ_ONLY }),
    ],
  }),
  schemaOf(base, {
    id: SCHEMAS.group,
    name: 'Group',
    attributes: [
      attribute('displayName', { required: true, uniqueness: 'server' }),
      attribute('externalId', { caseExact: true }),
      complex('members', [attribute('value', { mutability: 'immutable' }), attribute('display', READ_ONLY)], { multiValued: true }),
    ],
  }),
];

const READ_ONLY = { mutability: 'readOnly' } as const;

const attribute = (name: string, more: Json = {}): Json => ({
  name,
  type: 'string',
  multiValued: false,
  description: '',
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});

const complex = (name: string, subAttributes: readonly Json[], more: Json = {}): Json => attribute(name, { type: 'complex', subAttributes, ...more });

const schemaOf = (base: string, { id, name, attributes }: { id: string; name: string; attributes: readonly Json[] }): Json => ({
  schemas: [SCHEMAS.schema],
  id,
  name,
  description: name,
  attributes,
  meta: { resourceType: 'Schema', location: `${base}/Schemas/${id}` },
});
