import { openIdConnect, type OpenIdPending } from '../../src/sso/oidc/oidc.ts';
import { ProtocolConnection, type ConnectionOptions, type Left } from './protocol-connection.ts';

type Settings = Parameters<typeof openIdConnect.begin>[1]['settings'];

export class OpenIdConnection extends ProtocolConnection<Settings, OpenIdPending> {
  constructor(typed: Readonly<Record<string, string>>, options: ConnectionOptions = {}) {
    super(openIdConnect, typed, options);
  }

  finish(left: Pick<Left<OpenIdPending>, 'pending' | 'state'>, url: URL) {
    return this.comeBack(left, { url, form: undefined });
  }

  readLogout(token: string | undefined) {
    const form: Record<string, string> = token === undefined ? {} : { logout_token: token };
    return this.protocol.readLogout!(this.tools, { ...this.own, callback: { url: new URL(this.addresses.logout), form } });
  }
}
