import { linkButton } from '../html/forms.ts';
import { html, type Html } from '../html/html.ts';
import { alonePage } from '../html/layout.ts';
import { PROBLEMS, type Problem } from '../problem.ts';

/** What happened, what to do, and a way on. The request id lets the operator find it in the log. */
export function problemPage({ installationName, problem, requestId }: { installationName: string; problem: Problem; requestId: string }): Html {
  return alonePage({
    installationName,
    language: 'en',
    title: PROBLEMS[problem.code].title,
    body: html`<p class="quiet">${problem.message}</p>
      <div class="actions">${linkButton({ label: 'Go to the start', href: '/', main: true, wide: true })}</div>`,
    footer: html`<p class="quiet">Should you ask for help, name this: Request ${requestId}</p>`,
  });
}
