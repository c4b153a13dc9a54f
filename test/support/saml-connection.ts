import { saml, type SamlPending } from '../../src/sso/saml/saml.ts';
import { ProtocolConnection, type ConnectionOptions, type Left } from './protocol-connection.ts';
import type { PostedAnswer } from './saml-provider.ts';

type Settings = Parameters<typeof saml.begin>[1]['settings'];

export class SamlConnection extends ProtocolConnection<Settings, SamlPending> {
  constructor(typed: Readonly<Record<string, unknown>>, options: ConnectionOptions = {}) {
    super(saml, typed, options);
  }

  get metadata(): string {
    return this.protocol.ownMetadata!(this.own);
  }

  /** What is typed over what is stored, as the console does it. */
  async change(typed: Readonly<Record<string, unknown>>): Promise<void> {
    this.settings = await this.protocol.prepare!(this.tools, this.protocol.settings.parse({ ...this.settings, ...typed }));
  }

  finish(left: Pick<Left<SamlPending>, 'pending' | 'state'>, { to, fields }: PostedAnswer) {
    return this.comeBack(left, { url: new URL(to), form: fields });
  }

  /** `message`: an address, or the field of a form. */
  readLogout(message: string) {
    const posted = !message.startsWith('http');
    const callback = posted
      ? { url: new URL(this.addresses.logout), form: { SAMLRequest: message, RelayState: 'back' } }
      : { url: new URL(message), form: undefined };
    return this.protocol.readLogout!(this.tools, { ...this.own, callback });
  }
}
