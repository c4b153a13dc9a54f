import { html } from '../../platform/html/html.ts';
import { ticketIcon } from '../../platform/html/icons.ts';
import type { FactorPages } from '../contract.ts';
import type { BypassCodeState } from './bypass-code.ts';

export const pages: FactorPages<BypassCodeState, null> = {
  icon: ticketIcon,
  ask: () => ({
    heading: 'Enter your bypass code',
    body: html`<p>Enter the code that an administrator gave you. It works once. Then set up your new phone: you have an hour.</p>`,
  }),
  begin: () => ({ heading: 'Bypass code', button: 'Continue', body: html`` }),
  confirm: () => ({ heading: 'Bypass code', button: 'Continue', body: html``, dialog: false }),
};
