/** A connection of a protocol's own, without the portal around it: values in, and what it says out. */
import type { Callback, OwnAddresses, RedirectProtocol, Tools } from '../../src/sso/contract.ts';
import { makeNetwork, type NetworkOptions } from '../../src/platform/http/network.ts';
import { seededRandom } from './seeded-random.ts';
import { TestClock } from './world.ts';

/** A Tuesday in 2027: not the time of the machine, which nothing may depend on. */
export const START_AT = Date.UTC(2027, 1, 2, 9, 0, 0);

export function ownAddresses(connection: string): OwnAddresses {
  const own = `https://portal.example.org/sso/${connection}`;
  return { callback: `${own}/callback`, metadata: `${own}/metadata`, logout: `${own}/logout`, signedOut: `${own}/signed-out` };
}

export interface ConnectionOptions {
  readonly name?: string;
  readonly network?: Partial<NetworkOptions>;
  readonly clock?: TestClock;
}

/** Somebody who was sent to the provider. */
export interface Left<Pending> {
  readonly url: string;
  readonly pending: Pending;
  readonly state: string;
  /** What stands in the address there. */
  readonly asked: URLSearchParams;
}

export class ProtocolConnection<Settings, Pending> {
  readonly addresses: OwnAddresses;
  readonly clock: TestClock;
  settings: Settings;
  protected readonly protocol: RedirectProtocol<Settings, Pending>;
  readonly #tools: Omit<Tools, 'now'>;
  #states = 0;

  /** `typed`: as in the form. */
  constructor(
    protocol: RedirectProtocol<Settings, Pending>,
    typed: Readonly<Record<string, unknown>>,
    { name = 'ours', network = {}, clock = new TestClock(START_AT) }: ConnectionOptions = {},
  ) {
    this.protocol = protocol;
    this.settings = protocol.settings.parse(typed);
    this.addresses = ownAddresses(name);
    this.clock = clock;
    this.#tools = { random: seededRandom(7), network: makeNetwork({ privateHosts: ['127.0.0.1', 'localhost'], ...network }), installationName: 'Example' };
  }

  get tools(): Tools {
    return { ...this.#tools, now: this.clock.now() };
  }

  protected get own(): { readonly settings: Settings; readonly addresses: OwnAddresses } {
    return { settings: this.settings, addresses: this.addresses };
  }

  async begin({ fresh = false, email }: { fresh?: boolean; email?: string } = {}) {
    this.#states += 1;
    const state = `state-${this.addresses.callback.length}-${this.#states}`;
    return { ...(await this.protocol.begin(this.tools, { ...this.own, state, fresh, email })), state };
  }

  /** Fails the test where the provider can't be used at all. */
  async leave(options: { fresh?: boolean; email?: string } = {}): Promise<Left<Pending>> {
    const begun = await this.begin(options);
    if (!begun.ok) throw new Error(begun.detail);
    return { ...begun, asked: new URL(begun.url).searchParams };
  }

  /** `pending` as it was stored between. */
  protected comeBack({ pending, state }: Pick<Left<Pending>, 'pending' | 'state'>, callback: Callback) {
    const stored = this.protocol.pending.parse(JSON.parse(JSON.stringify(pending)));
    return this.protocol.finish(this.tools, { ...this.own, pending: stored, callback, state });
  }

  logoutUrl(hint: string, state: string): Promise<string | undefined> {
    return this.protocol.logoutUrl!(this.tools, { ...this.own, hint, state });
  }
}

/** What it says when it believes nothing; throws where somebody came in. */
export function refusalOf(result: { readonly ok: boolean }): { reason: string; detail: string } {
  if (result.ok) throw new Error(`It was believed: ${JSON.stringify(result)}`);
  return result as unknown as { reason: string; detail: string };
}
