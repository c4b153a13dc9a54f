import { linkButton } from '../html/forms.ts';
import { html, type Html } from '../html/html.ts';
import { alonePage } from '../html/layout.ts';
import type { Problem, ProblemCode } from '../problem.ts';

/** What happened, what to do, and a way on. The request id lets the operator find it in the log. */
export function problemPage({ installationName, problem, requestId }: { installationName: string; problem: Problem; requestId: string }): Html {
  return alonePage({
    installationName,
    language: 'en',
    title: TITLES[problem.code],
    body: html`<p class="quiet">${problem.message}</p>
      <div class="actions">${linkButton({ label: 'Go to the start', href: '/', main: true, wide: true })}</div>`,
    footer: html`<p class="quiet">Should you ask for help, name this: Request ${requestId}</p>`,
  });
}

const TITLES: Record<ProblemCode, string> = {
  'bad-request': 'That could not be read',
  'form-expired': 'Please try that again',
  'cross-site': 'Nothing was done',
  'not-allowed': 'This is not open to you',
  'not-found': 'There is nothing here',
  'method-not-allowed': 'That does not work here',
  conflict: 'Somebody was faster',
  'too-large': 'That was too long',
  'unsupported-media-type': 'That could not be read',
  'too-many-requests': 'Please wait a moment',
  internal: 'Something went wrong',
  unavailable: 'Not available right now',
};
