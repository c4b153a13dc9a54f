// What the portal says to a SAML provider: it asks somebody to sign in, it signs them out, and it publishes what it is. Part of saml.ts.
import { withoutPemLines } from '../../platform/secrets/certificates.ts';
import { isoOf } from '../../platform/words/times.ts';
import { xml, type Xml } from '../../platform/xml/write-xml.ts';
import type { OwnAddresses } from '../contract.ts';
import type { NameId } from './assertion.ts';
import { ASSERTION, DSIG, METADATA, NAME_ID, POST, PROTOCOL, REDIRECT, SUCCESS } from './names.ts';
import type { SamlSettings } from './settings.ts';

export interface Head {
  readonly id: string;
  /** Epoch milliseconds. */
  readonly now: number;
  /** Whom it is sent to. */
  readonly to: string;
  readonly addresses: OwnAddresses;
}

export function authnRequest({ id, now, to, addresses }: Head, { nameIdFormat, fresh }: { nameIdFormat: SamlSettings['nameIdFormat']; fresh: boolean }): Xml {
  return xml`
    <samlp:AuthnRequest xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="${id}" Version="2.0" IssueInstant="${isoOf(now)}" Destination="${to}" ForceAuthn="${fresh ? 'true' : 'false'}" ProtocolBinding="${POST}" AssertionConsumerServiceURL="${addresses.callback}">
      ${issuer(addresses)}
      ${nameIdFormat === 'persistent' && xml`<samlp:NameIDPolicy Format="${NAME_ID.persistent}" AllowCreate="true"/>`}
    </samlp:AuthnRequest>`;
}

export function logoutRequest({ id, now, to, addresses }: Head, { nameId, sessionIndex }: { nameId: NameId; sessionIndex: string | undefined }): Xml {
  const { value, format, nameQualifier, spNameQualifier } = nameId;
  return xml`
    <samlp:LogoutRequest xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="${id}" Version="2.0" IssueInstant="${isoOf(now)}" Destination="${to}">
      ${issuer(addresses)}
      <saml:NameID ${attribute('Format', format)} ${attribute('NameQualifier', nameQualifier)} ${attribute('SPNameQualifier', spNameQualifier)}>${value}</saml:NameID>
      ${sessionIndex !== undefined && xml`<samlp:SessionIndex>${sessionIndex}</samlp:SessionIndex>`}
    </samlp:LogoutRequest>`;
}

export function logoutResponse({ id, now, to, addresses }: Head, inResponseTo: string): Xml {
  return xml`
    <samlp:LogoutResponse xmlns:samlp="${PROTOCOL}" xmlns:saml="${ASSERTION}" ID="${id}" InResponseTo="${inResponseTo}" Version="2.0" IssueInstant="${isoOf(now)}" Destination="${to}">
      ${issuer(addresses)}
      <samlp:Status>
        <samlp:StatusCode Value="${SUCCESS}"/>
      </samlp:Status>
    </samlp:LogoutResponse>`;
}

/** Both keys while they change. Answers to a sign-out lead to a page, requests to where they are read. */
export function ownDescription(addresses: OwnAddresses, { ownKeys, nameIdFormat, signs }: Pick<SamlSettings, 'ownKeys' | 'nameIdFormat' | 'signs'>): Xml {
  const keys = ownKeys.map(
    ({ certificate }) => xml`
      <md:KeyDescriptor use="signing">
        <ds:KeyInfo>
          <ds:X509Data>
            <ds:X509Certificate>${withoutPemLines(certificate)}</ds:X509Certificate>
          </ds:X509Data>
        </ds:KeyInfo>
      </md:KeyDescriptor>`,
  );
  const signOuts = [REDIRECT, POST].map(
    (binding) => xml`<md:SingleLogoutService Binding="${binding}" Location="${addresses.logout}" ResponseLocation="${addresses.signedOut}"/>`,
  );
  return xml`
    <md:EntityDescriptor xmlns:md="${METADATA}" xmlns:ds="${DSIG}" entityID="${addresses.metadata}">
      <md:SPSSODescriptor AuthnRequestsSigned="${signs ? 'true' : 'false'}" WantAssertionsSigned="true" protocolSupportEnumeration="${PROTOCOL}">
        ${keys}
        ${signOuts}
        <md:NameIDFormat>${NAME_ID[nameIdFormat]}</md:NameIDFormat>
        <md:AssertionConsumerService Binding="${POST}" Location="${addresses.callback}" index="0" isDefault="true"/>
      </md:SPSSODescriptor>
    </md:EntityDescriptor>`;
}

const issuer = ({ metadata }: OwnAddresses): Xml => xml`<saml:Issuer>${metadata}</saml:Issuer>`;

function attribute(name: 'Format' | 'NameQualifier' | 'SPNameQualifier', value: string | undefined): Xml | undefined {
  if (value === undefined) return undefined;
  if (name === 'Format') return xml`Format="${value}"`;
  return name === 'NameQualifier' ? xml`NameQualifier="${value}"` : xml`SPNameQualifier="${value}"`;
}
