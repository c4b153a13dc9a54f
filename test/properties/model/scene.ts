/**
 * The real portal of one run, and its weather: a crash before one of the forms of a command, or an operation of the database that fails under
 * one. Then the person presses again, and everything must be as if it had not happened.
 */
import assert from 'node:assert/strict';
import type { Engine } from '../../../src/platform/database/database.ts';
import { Faults, withFaults } from '../../support/faults.ts';
import { Portal } from '../../support/portal.ts';
import { Visitor, type Site } from '../../support/visitor.ts';
import { makeTestWorld } from '../../support/world.ts';
import { Account, Ledger, Seat } from './ledger.ts';

export interface Weather {
  /** Before this form of the command (1 is the first) the process is dropped and another started. */
  readonly crashBefore: number | undefined;
  /** Under this form, this operation of the database fails. */
  readonly fault: { readonly form: number; readonly operation: number } | undefined;
}

const PEOPLE = 2;
const WITH_CODE = /^\d{6}\n/;
const WITH_LINK = /\/forgot-password\/link\?token=/;

export class Scene implements AsyncDisposable {
  readonly portal: Portal;
  readonly ledger: Ledger;
  readonly #faults: Faults;
  #weather: Weather = { crashBefore: undefined, fault: undefined };
  #forms = 0;
  #browsers = 0;
  readonly #auditSeen = new Set<string>();

  private constructor(portal: Portal, faults: Faults) {
    this.portal = portal;
    this.#faults = faults;
    const accounts = Array.from({ length: PEOPLE }, () => {
      const person = portal.newcomer();
      return new Account(person, [new Seat((person.browser = this.browser())), new Seat(this.browser())]);
    });
    this.ledger = new Ledger(accounts, () => portal.clock.now());
  }

  static async open(engine: Engine): Promise<Scene> {
    const faults = new Faults();
    faults.armed = false;
    const { world } = withFaults(await makeTestWorld({ engine }), faults);
    return new Scene(await Portal.over(world), faults);
  }

  /** Of somebody in a network of their own, so that no limit of a network is met. */
  browser(): Visitor {
    this.#browsers += 1;
    return new Visitor(this.#site, { checkHtml: false, address: `198.18.${this.#browsers >> 8}.${this.#browsers & 255}` });
  }

  begin(weather: Weather): void {
    this.#weather = weather;
    this.#forms = 0;
  }

  /** What was written down since the last time. */
  async newEvents(): Promise<string[]> {
    const rows = await this.portal.world.database.query.selectFrom('audit_events').select(['id', 'event']).execute();
    const fresh = rows.filter(({ id }) => !this.#auditSeen.has(id));
    for (const { id } of fresh) this.#auditSeen.add(id);
    return fresh.map(({ event }) => event);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.portal.close();
  }

  readonly #site: Site = {
    inject: async (request) => {
      if (request.method !== 'POST') return this.portal.app.inject(request);
      this.#forms += 1;
      if (this.#forms === this.#weather.crashBefore) await this.portal.restart();
      const { fault } = this.#weather;
      if (this.#forms === fault?.form) this.#faults.failAt(fault.operation);
      this.#faults.armed = true;
      let response = await this.portal.app.inject(request);
      this.#faults.armed = false;
      if (this.#faults.failed > 0) {
        assert.equal(response.statusCode, 500);
        this.#faults.heal();
        response = await this.portal.app.inject(request);
      }
      await this.#deliver();
      return response;
    },
  };

  async #deliver(): Promise<void> {
    const before = this.portal.mail.mails.length;
    await this.portal.mail.deliver(this.portal.world);
    for (const { to, text } of this.portal.mail.mails.slice(before)) {
      const account = this.ledger.accounts.find(({ person }) => person.email === to.address);
      if (WITH_CODE.test(text) || WITH_LINK.test(text)) account?.mailsAt.push(this.portal.clock.now());
    }
  }
}
