// Outgoing mail shown on a page of its own, for trying Twinlock out without a mail server. Only with the development flag, only for who sits at this machine.
import { html } from '../html/html.ts';
import { alonePage } from '../html/layout.ts';
import { page, type Web } from '../http/visit.ts';
import { Problem } from '../problem.ts';
import type { World } from '../world.ts';
import { listSent, type Transport } from './mail.ts';

const SHOWN_MOST = 50;

export const developmentTransport: Transport = { keepsSent: true, send: async () => undefined, close: () => undefined };

export function mountDevelopmentMail(web: Web<undefined>, world: World): void {
  web.get('/dev/mail', async (visit) => {
    if (!visit.onThisMachine) throw new Problem('not-found', 'There is no page at this address. Check it for a slip, or start at the beginning.');
    const mails = await listSent(world, SHOWN_MOST);
    return page(
      alonePage({
        installationName: world.installation.name,
        language: 'en',
        title: 'Outgoing mail',
        body: html`<p class="quiet">
            Twinlock runs for development, without a mail server. What it would have sent is here, the newest first. Reload for more.
          </p>
          ${mails.length === 0 && html`<p>No mail yet.</p>`}
          ${mails.map(
            (mail) =>
              html`<article class="mail">
                <h2>${mail.subject}</h2>
                <p class="quiet">To ${mail.to.address}, ${new Date(mail.sentAt).toISOString().slice(0, 19).replace('T', ' ')} UTC</p>
                <pre>${mail.text}</pre>
              </article>`,
          )}`,
      }),
    );
  });
}
