/** A connection of the protocol's own, without the portal around it: values in, and what it says out. */
import { openIdConnect, type OpenIdPending } from '../../src/sso/oidc/oidc.ts';
import type { OwnAddresses, Tools } from '../../src/sso/contract.ts';
import { makeNetwork, type NetworkOptions } from '../../src/platform/http/network.ts';
import { seededRandom } from './seeded-random.ts';
import { TestClock } from './world.ts';

/** A Tuesday in 2027: not the time of the machine, which nothing may depend on. */
export const START_AT = Date.UTC(2027, 1, 2, 9, 0, 0);

export function ownAddresses(connection: string): OwnAddresses {
  const own = `https://portal.example.org/sso/${connection}`;
  return { callback: `${own}/callback`, metadata: `${own}/metadata`, logout: `${own}/logout`, signedOut: `${own}/signed-out` };
}

type Settings = Parameters<typeof openIdConnect.begin>[1]['settings'];
type Finished = Awaited<ReturnType<typeof openIdConnect.finish>>;

export class OpenIdConnection {
  readonly addresses: OwnAddresses;
  readonly clock: TestClock;
  settings: Settings;
  readonly #tools: Omit<Tools, 'now'>;
  #states = 0;

  /** `typed`: as in the form. */
  constructor(
    typed: Readonly<Record<string, string>>,
    { name = 'ours', network = {}, clock = new TestClock(START_AT) }: { name?: string; network?: Partial<NetworkOptions>; clock?: TestClock } = {},
  ) {
    this.settings = openIdConnect.settings.parse(typed);
    this.addresses = ownAddresses(name);
    this.clock = clock;
    this.#tools = { random: seededRandom(7), network: makeNetwork({ privateHosts: ['127.0.0.1', 'localhost'], ...network }), installationName: 'Example' };
  }

  get tools(): Tools {
    return { ...this.#tools, now: this.clock.now() };
  }

  async begin({ fresh = false, email }: { fresh?: boolean; email?: string } = {}) {
    this.#states += 1;
    const state = `state-${this.addresses.callback.length}-${this.#states}`;
    const { settings, addresses } = this;
    const begun = await openIdConnect.begin(this.tools, { settings, addresses, state, fresh, email });
    return begun.ok ? { ...begun, state, asked: new URL(begun.url).searchParams } : { ...begun, state };
  }

  /** Fails the test where the provider can't be used at all. */
  async leave(options: { fresh?: boolean; email?: string } = {}): Promise<Left> {
    const begun = await this.begin(options);
    if (!begun.ok) throw new Error(begun.detail);
    return begun;
  }

  /** `pending` as it was stored between. */
  finish({ pending, state }: Pick<Left, 'pending' | 'state'>, url: URL): Promise<Finished> {
    const stored = openIdConnect.pending.parse(JSON.parse(JSON.stringify(pending)));
    const { settings, addresses } = this;
    return openIdConnect.finish(this.tools, { settings, addresses, pending: stored, callback: { url, form: undefined }, state });
  }

  readLogout(token: string | undefined) {
    const { settings, addresses } = this;
    const form: Record<string, string> = token === undefined ? {} : { logout_token: token };
    return openIdConnect.readLogout!(this.tools, { settings, addresses, callback: { url: new URL(addresses.logout), form } });
  }

  logoutUrl(hint: string, state: string): Promise<string | undefined> {
    const { settings, addresses } = this;
    return openIdConnect.logoutUrl!(this.tools, { settings, addresses, hint, state });
  }
}

export interface Left {
  readonly url: string;
  readonly pending: OpenIdPending;
  readonly state: string;
  readonly asked: URLSearchParams;
}

/** What it says when it believes nothing; throws where somebody came in. */
export function refusalOf(result: { readonly ok: boolean }): { reason: string; detail: string } {
  if (result.ok) throw new Error(`It was believed: ${JSON.stringify(result)}`);
  return result as unknown as { reason: string; detail: string };
}
