import { html, type Html } from '../html/html.ts';
import { describeUserAgent } from './user-agent.ts';
import type { Asked, Message } from './message.ts';

export interface LaidOut {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** The plain and the HTML form of a message, from the same parts in the same order. The code comes first: a phone's notification shows it. */
export function layOut(message: Message, installationName: string): LaidOut {
  const { subject, code, paragraphs, link, asked, notYou } = message;
  const greeting = message.to.name === '' ? 'Hello,' : `Hello ${message.to.name},`;
  const where = asked && `Asked ${describeAsked(asked)}.`;
  const text = [code, greeting, ...paragraphs, link && `${link.label}:\n${link.url}`, where, notYou, `${installationName}`]
    .filter((part) => part !== undefined)
    .join('\n\n');
  return { subject, text: `${text}\n`, html: htmlOf({ greeting, where, installationName }, message).toString() };
}

/** "from Firefox on Windows, address 192.0.2.7, on 24 November 2026 at 14:05 UTC" */
function describeAsked({ userAgent, address, at }: Asked): string {
  const date = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(at);
  return `from ${describeUserAgent(userAgent)}, address ${address}, on ${date} at ${new Date(at).toISOString().slice(11, 16)} UTC`;
}

function htmlOf(
  { greeting, where, installationName }: { greeting: string; where: string | undefined; installationName: string },
  { subject, code, paragraphs, link, notYou }: Message,
): Html {
  return html`<!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${subject}</title>
      </head>
      <body style="margin:0;padding:24px 16px;font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',sans-serif">
        <div style="max-width:30rem;margin:0 auto">
          ${code !== undefined && html`<p style="font-size:32px;font-weight:700;letter-spacing:6px;margin:0 0 24px">${code}</p>`}
          <p>${greeting}</p>
          ${paragraphs.map((paragraph) => html`<p>${paragraph}</p>`)}
          ${
            link &&
            html`<p>
                <a
                  href="${link.url}"
                  style="display:inline-block;padding:12px 20px;border-radius:10px;background:#1f5fd0;color:#ffffff;font-weight:600;text-decoration:none"
                  >${link.label}</a
                >
              </p>
              <p style="font-size:14px;overflow-wrap:anywhere">${link.url}</p>`
          }
          ${where !== undefined && html`<p style="font-size:14px">${where}</p>`}
          <p style="font-size:14px">${notYou}</p>
          <p style="font-size:14px">${installationName}</p>
        </div>
      </body>
    </html>`;
}
