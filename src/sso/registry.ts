// Every protocol: the one list. A new one is its folder and its line here.
import type { AnyProtocol } from './contract.ts';
import { ldap } from './ldap/ldap.ts';
import { openIdConnect } from './oidc/oidc.ts';
import { saml } from './saml/saml.ts';

export const protocols: readonly AnyProtocol[] = [openIdConnect, saml, ldap];

export const protocolOf = (kind: string): AnyProtocol | undefined => protocols.find((protocol) => protocol.kind === kind);
