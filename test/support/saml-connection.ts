/** A connection of the protocol's own, without the portal around it: values in, and what it says out. */
import type { OwnAddresses, Tools } from '../../src/sso/contract.ts';
import { saml, type SamlPending } from '../../src/sso/saml/saml.ts';
import { makeNetwork, type NetworkOptions } from '../../src/platform/http/network.ts';
import { ownAddresses, START_AT } from './openid-connection.ts';
import type { PostedAnswer } from './saml-provider.ts';
import { seededRandom } from './seeded-random.ts';
import { TestClock } from './world.ts';

type Settings = Parameters<typeof saml.begin>[1]['settings'];
type Finished = Awaited<ReturnType<typeof saml.finish>>;

export class SamlConnection {
  readonly addresses: OwnAddresses;
  readonly clock: TestClock;
  settings: Settings;
  readonly #tools: Omit<Tools, 'now'>;
  #states = 0;

  /** `typed`: as in the form. */
  constructor(
    typed: Readonly<Record<string, unknown>>,
    { name = 'ours', network = {}, clock = new TestClock(START_AT) }: { name?: string; network?: Partial<NetworkOptions>; clock?: TestClock } = {},
  ) {
    this.settings = saml.settings.parse(typed);
    this.addresses = ownAddresses(name);
    this.clock = clock;
    this.#tools = { random: seededRandom(7), network: makeNetwork({ privateHosts: ['127.0.0.1', 'localhost'], ...network }), installationName: 'Example' };
  }

  get tools(): Tools {
    return { ...this.#tools, now: this.clock.now() };
  }

  get metadata(): string {
    return saml.ownMetadata!({ settings: this.settings, addresses: this.addresses });
  }

  /** What is typed over what is stored, as the console does it. */
  async change(typed: Readonly<Record<string, unknown>>): Promise<void> {
    this.settings = await saml.prepare!(this.tools, saml.settings.parse({ ...this.settings, ...typed }));
  }

  async begin({ fresh = false }: { fresh?: boolean } = {}) {
    this.#states += 1;
    const state = `state-${this.addresses.callback.length}-${this.#states}`;
    const { settings, addresses } = this;
    const begun = await saml.begin(this.tools, { settings, addresses, state, fresh, email: undefined });
    return { ...begun, state };
  }

  /** Fails the test where the provider can't be used at all. */
  async leave(options: { fresh?: boolean } = {}): Promise<Left> {
    const begun = await this.begin(options);
    if (!begun.ok) throw new Error(begun.detail);
    return begun;
  }

  /** `pending` as it was stored between. */
  finish({ pending, state }: Pick<Left, 'pending' | 'state'>, { to, fields }: PostedAnswer): Promise<Finished> {
    const stored = saml.pending.parse(JSON.parse(JSON.stringify(pending)));
    const { settings, addresses } = this;
    return saml.finish(this.tools, { settings, addresses, pending: stored, callback: { url: new URL(to), form: fields }, state });
  }

  /** `message`: an address, or the field of a form. */
  readLogout(message: string) {
    const { settings, addresses } = this;
    const posted = !message.startsWith('http');
    const callback = posted
      ? { url: new URL(addresses.logout), form: { SAMLRequest: message, RelayState: 'back' } }
      : { url: new URL(message), form: undefined };
    return saml.readLogout!(this.tools, { settings, addresses, callback });
  }

  logoutUrl(hint: string, state: string): Promise<string | undefined> {
    const { settings, addresses } = this;
    return saml.logoutUrl!(this.tools, { settings, addresses, hint, state });
  }
}

export interface Left {
  readonly url: string;
  readonly pending: SamlPending;
  readonly state: string;
}
