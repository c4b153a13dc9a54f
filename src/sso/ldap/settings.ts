// What is asked of whoever connects a directory: the shape of what is stored, and the form. The door is ldap.ts.
import { FilterParser } from 'ldapts';
import { z } from 'zod';
import type { SettingField } from '../contract.ts';

/** What each kind of directory calls things, where nothing else was typed. */
export const PRESETS = {
  'active-directory': {
    filter: '(&(objectCategory=person)(objectClass=user)(|(userPrincipalName={email})(mail={email})))',
    subject: 'objectGUID',
    email: 'mail',
    name: 'displayName',
    groups: 'memberOf',
  },
  ldap: { filter: '(&(objectClass=person)(mail={email}))', subject: 'entryUUID', email: 'mail', name: 'cn', groups: 'memberOf' },
} as const;

export const PLACEHOLDER = '{email}';
const TEXT_MOST = 1000;
const AUTHORITY_MOST = 20_000;

/** RFC 4512, 1.4: the short name of an attribute. */
const attribute = z
  .string()
  .trim()
  .regex(/^(?:[A-Za-z][A-Za-z0-9-]{0,62})?$/, 'Enter the name of one attribute, such as mail.')
  // What a directory lets nobody read ought not to be asked for.
  .refine((name) => !/passw|pwd/i.test(name), 'Passwords are not read out.')
  .default('');

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly scheme: 'ldaps' | 'ldap';
}

/** `ldaps://host` or `ldap://host`, with or without a port, and nothing else. */
export function serverFrom(address: string): Server | undefined {
  const found = /^(ldaps?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(\d{1,5}))?\/?$/i.exec(address.trim());
  if (!found) return undefined;
  const scheme = found[1]!.toLowerCase() as Server['scheme'];
  const port = Number(found[3] ?? { ldaps: 636, ldap: 389 }[scheme]);
  return port > 0 && port < 65_536 ? { scheme, host: found[2]!.replace(/^\[|\]$/g, '').toLowerCase(), port } : undefined;
}

const isFilter = (text: string): boolean => {
  try {
    FilterParser.parseString(text.replaceAll(PLACEHOLDER, 'somebody@example.org'));
    return true;
  } catch {
    return false;
  }
};

export const settings = z.object({
  directory: z.enum(['active-directory', 'ldap'], 'Choose what kind of directory it is.'),
  address: z
    .string()
    .trim()
    .max(TEXT_MOST)
    .refine((text) => serverFrom(text) !== undefined, 'Enter ldaps:// and the name of the server, such as ldaps://ldap.example.org.'),
  unencrypted: z.boolean().default(false),
  // Fields of several lines come as lines.
  authority: z
    .union([z.string(), z.array(z.string()).transform((lines) => lines.join('\n'))])
    .pipe(
      z
        .string()
        .trim()
        .max(AUTHORITY_MOST, 'This is more than a few certificates.')
        .regex(
          /^(?:(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+)?$/,
          'Paste the certificate as text: from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, and never its key.',
        ),
    )
    .default(''),
  base: z.string().trim().min(1, 'Enter where people are found, such as ou=people,dc=example,dc=org.').max(TEXT_MOST),
  serviceName: z
    .string()
    .trim()
    .max(TEXT_MOST)
    // A bare word could be taken for a mechanism of SASL.
    .regex(/[=@\\]/, 'Enter the whole name of the account, such as cn=twinlock,ou=services,dc=example,dc=org.'),
  servicePassword: z.string().min(1, 'Enter the password of that account.').max(TEXT_MOST),
  filter: z
    .string()
    .trim()
    .max(TEXT_MOST)
    .refine((text) => text === '' || text.includes(PLACEHOLDER), `Write ${PLACEHOLDER} where the address goes that somebody typed.`)
    .refine((text) => text === '' || isFilter(text), 'This is no filter as directories read them. One is (&(objectClass=person)(mail={email})).')
    .default(''),
  subjectAttribute: attribute,
  emailAttribute: attribute,
  nameAttribute: attribute,
  groupsAttribute: attribute,
});

export type Settings = z.infer<typeof settings>;

const byDefault = (what: 'filter' | 'subject' | 'email' | 'name' | 'groups'): string =>
  `Left empty: ${PRESETS['active-directory'][what]} for Active Directory${PRESETS.ldap[what] === PRESETS['active-directory'][what] ? ' and others' : `, ${PRESETS.ldap[what]} for others`}.`;

export const fields: readonly SettingField[] = [
  {
    name: 'directory',
    label: 'Kind of directory',
    kind: 'choice',
    choices: [
      { value: 'active-directory', label: 'Active Directory' },
      { value: 'ldap', label: 'Another: OpenLDAP, 389, FreeIPA' },
    ],
    required: true,
  },
  {
    name: 'address',
    label: 'Server',
    hint: 'ldaps://ldap.example.org, or ldap:// where the server begins encryption by StartTLS.',
    kind: 'text',
    required: true,
  },
  {
    name: 'authority',
    label: 'Certificate of your own authority',
    hint: 'As text. Left empty, the authorities are trusted that everybody trusts.',
    kind: 'lines',
    required: false,
  },
  {
    name: 'unencrypted',
    // Checkboxes have no hint.
    label: 'Connect without encryption: whoever is on the way reads the passwords. Only by ldap://, to a server that the operator of the portal has named',
    kind: 'check',
    required: false,
  },
  { name: 'base', label: 'Where people are', hint: 'The search base, such as ou=people,dc=example,dc=org.', kind: 'text', required: true },
  { name: 'serviceName', label: 'Service account', hint: 'Its whole name (DN). It only has to read; give it no more.', kind: 'text', required: true },
  { name: 'servicePassword', label: 'Password of the service account', kind: 'secret', required: true },
  { name: 'filter', label: 'Filter', hint: `${PLACEHOLDER} is the address that somebody typed. ${byDefault('filter')}`, kind: 'text', required: false },
  { name: 'subjectAttribute', label: 'Attribute that never changes', hint: byDefault('subject'), kind: 'text', required: false },
  { name: 'emailAttribute', label: 'Attribute of the email address', hint: byDefault('email'), kind: 'text', required: false },
  { name: 'nameAttribute', label: 'Attribute of the name', hint: byDefault('name'), kind: 'text', required: false },
  { name: 'groupsAttribute', label: 'Attribute of the groups', hint: byDefault('groups'), kind: 'text', required: false },
];
