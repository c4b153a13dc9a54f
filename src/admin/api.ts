// The console's verbs for programs. Each operation calls what the page of the console calls, and says here how it looks as JSON.
import { z } from 'zod';
import { operation, type Operation } from '../platform/api/operation.ts';
import { isoOf } from '../platform/words/times.ts';
import type { World } from '../platform/world.ts';
import { KEY_ROLES } from '../organisations/organisations.ts';
import { SCOPES, type KeyHolder } from '../sessions/sessions.ts';
import { keyOperations } from './api-keys-api.ts';
import { appOperations } from './apps-api.ts';
import { auditOperations } from './audit-api.ts';
import { helpOperations } from './help-api.ts';
import { invitationOperations } from './invitations-api.ts';
import { readOverviewOperation } from './overview-api.ts';
import { peopleOperations } from './people-api.ts';
import { policyOperations } from './policy-api.ts';
import { ssoOperations } from './sso-api.ts';
import { ssoDomainOperations } from './sso-domains-api.ts';
import { webhookOperations } from './webhook-api.ts';

/** In the order in which the document shows them. */
export const adminOperations = (world: World): readonly Operation<KeyHolder>[] => [
  readOrganisation,
  readOverviewOperation(world),
  ...peopleOperations(world),
  ...helpOperations(world),
  ...invitationOperations(world),
  ...policyOperations(world),
  ...auditOperations(world),
  ...webhookOperations(world),
  ...appOperations(world),
  ...ssoOperations(world),
  ...ssoDomainOperations(world),
  ...keyOperations(world),
];

const organisationShape = z
  .object({
    id: z.string(),
    name: z.string(),
    key: z.object({
      id: z.string(),
      name: z.string(),
      role: z.enum(KEY_ROLES).describe('As what it acts'),
      scopes: z.array(z.enum(SCOPES)),
      expiresAt: z.iso.datetime(),
    }),
  })
  .meta({ id: 'Organisation', description: 'The organisation, and what the key that asks is' });

const readOrganisation: Operation<KeyHolder> = operation({
  name: 'readOrganisation',
  method: 'GET',
  path: '/organisation',
  tag: 'Organisation',
  scope: undefined,
  summary: 'Shows the organisation and the key',
  description: 'A good first request.',
  answer: { status: 200, says: 'The organisation of the key', shape: organisationShape },
  handle: async ({ actor: { organisation, key }, scopes, expiresAt }: KeyHolder) => ({
    ...organisation,
    key: { ...key, scopes: [...scopes], expiresAt: isoOf(expiresAt) },
  }),
});
