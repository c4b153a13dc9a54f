import type { PersonInChromium } from '../support/person-in-chromium.ts';

/**
 * Past pages that a person can meet, in every state that has a look of its own: empty, refused, over, done. A walk stops at each, so that whoever walks
 * along can look, and goes on from the page as it was left. Each needs a portal of its own. The two together pass by every page that there is.
 *   for await (const stop of gettingIn(browser, portal, { viewport })) await check(stop);
 */
export type Walk = AsyncGenerator<Stop, void>;

export interface Stop {
  /** What one sees, in a few words; no two stops have the same. */
  readonly name: string;
  readonly person: PersonInChromium;
}
