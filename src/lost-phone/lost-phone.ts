/**
 * The lost phone: how somebody who looks after an organisation helps back in who can't show a second factor any more, without being tricked by whoever
 * says so (decisions/0015). Who helps has two-factor authentication on, shows afresh that it is them, and says why and how they know who it is (AD-2, AD-4);
 * nobody helps themselves, a higher role, or somebody who looks after an organisation where they themselves do not (AD-3). The person is told at once.
 * A bypass code opens one short session beside the password and nothing else; it is shown once, to whoever issued it. A reset takes all methods away: after
 * a set time, in which the person, or anybody who looks after them, stops it; it is decided again, and once, at the moment at which it happens.
 */
export { deleteEveryReset as endEveryReset } from './store.ts';
export { findBypassCode, issueBypassCode, issueBypassCodeByOperator, refuseBypassCode, revokeBypassCode, type LiveBypassCode } from './bypass-codes.ts';
export { CHECKS, groundsFrom, type Check, type Grounds, type GroundsRefused, type GroundsTyped } from './grounds.ts';
export { helpRefusal, nameOf, type HelpRefusal } from './helping.ts';
export { askForHelp, closeRequest, findRequest, HELP_ADDRESS, listRequests, sweepRequests, whoHelps, type HelpRequest } from './requests.ts';
export {
  approveReset,
  askForReset,
  findReset,
  findResetOfToken,
  resetIfDue,
  resetWhoIsDue,
  startResetting,
  stopOwnReset,
  stopReset,
  stopResetByToken,
  type PendingReset,
} from './resets.ts';
