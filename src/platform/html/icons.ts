import { raw } from './html.ts';

// In one hand: 24 units square, drawn by stroke; .icon in the stylesheet gives the colour. All decorative: the words beside them say it.
const icon = (path: string) => raw(`<svg viewBox="0 0 24 24" aria-hidden="true">${path}</svg>`);

export const phoneIcon = icon('<rect x="7" y="2" width="10" height="20" rx="2.5"/><path d="M11 18h2"/>');
export const mailIcon = icon('<rect x="3" y="5" width="18" height="14" rx="2.5"/><path d="m4 7 8 6 8-6"/>');
export const keyIcon = icon('<circle cx="8" cy="15" r="4"/><path d="m11 12 9-9m-4 4 3 3"/>');
export const ticketIcon = icon('<path d="M4 7h16v3a2 2 0 0 0 0 4v3H4v-3a2 2 0 0 0 0-4z"/><path d="M14 8v1m0 2.5v1M14 15v1"/>');
export const screenIcon = icon('<rect x="3" y="4" width="18" height="12" rx="2"/><path d="M8 20h8m-4-4v4"/>');

/** Two locks side by side. */
export const brandMark = raw(
  '<svg viewBox="0 0 32 32" aria-hidden="true"><rect x="3" y="3" width="26" height="26" rx="8" fill="var(--accent)"/><path d="M11 15v-3a5 5 0 0 1 10 0v3" fill="none" stroke="var(--on-accent)" stroke-width="2.4" stroke-linecap="round"/><rect x="9" y="15" width="6" height="8" rx="2" fill="var(--on-accent)"/><rect x="17" y="15" width="6" height="8" rx="2" fill="var(--on-accent)"/></svg>',
);
