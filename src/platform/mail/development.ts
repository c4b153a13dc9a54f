// Outgoing mail shown on a page of its own, for trying Twinlock out without a mail server. Only with the development flag, only for who sits at this machine.
import { linkButton } from '../html/forms.ts';
import { html, type Html } from '../html/html.ts';
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
        wide: true,
        body: html`<p class="quiet">Twinlock runs for development, without a mail server. What it would have sent is here, the newest first.</p>
          ${
            mails.length === 0 &&
            html`<p>
              No mail yet. ${world.installation.signUp === 'open' && html`<a href="/sign-up">Create an account</a>, and its verification code comes here.`}
            </p>`
          }
          <div class="actions">${linkButton({ label: 'Look again', href: '/dev/mail' })}</div>
          ${mails.map(
            (mail) =>
              html`<article class="mail">
                <h2>${mail.subject}</h2>
                <p class="quiet">To ${mail.to.address}, ${new Date(mail.sentAt).toISOString().slice(0, 19).replace('T', ' ')} UTC</p>
                <pre>${withLinks(mail.text, world.installation.origin)}</pre>
              </article>`,
          )}`,
      }),
    );
  });
}

/** Our own addresses can be followed, as in a mail program. */
function withLinks(text: string, origin: string): (string | Html)[] {
  return text.split(/(https?:\/\/\S+)/).map((part) => (part.startsWith(`${origin}/`) ? html`<a href="${part}">${part}</a>` : part));
}
