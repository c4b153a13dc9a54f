import { deliverDue, type Outgoing, type Transport } from '../../src/platform/mail/mail.ts';
import type { World } from '../../src/platform/world.ts';

/** Where a portal's mail arrives: taken from its outbox by the program's own delivery, laid out as it would go over the wire. */
export class Postbox {
  /** All that came, the oldest first. */
  readonly mails: Outgoing[] = [];
  /** False: the mail server is down, and mail waits in the outbox. */
  up = true;
  readonly #transport: Transport = {
    keepsSent: false,
    send: async (mail) => {
      if (!this.up) throw new Error('The mail server is down.');
      this.mails.push(mail);
    },
    close: () => undefined,
  };

  /** Takes what is due. */
  async deliver(world: World): Promise<void> {
    while ((await deliverDue(world, this.#transport)) > 0);
  }

  /** All to this address, the oldest first. */
  to(address: string): Outgoing[] {
    return this.mails.filter((mail) => mail.to.address === address);
  }

  newestTo(address: string): Outgoing {
    const mail = this.to(address).at(-1);
    if (!mail) throw new Error(`No mail came to ${address}, only to ${this.mails.map(({ to }) => to.address).join(', ') || 'nobody'}.`);
    return mail;
  }

  /** The code of the newest mail to this address that has one: the first thing in its text. */
  newestCode(address: string): string {
    const codes = this.to(address).flatMap(({ text }) => /^(\d{6})\n/.exec(text)?.[1] ?? []);
    const newest = codes.at(-1);
    if (newest === undefined) throw new Error(`No mail with a code came to ${address}.`);
    return newest;
  }
}
