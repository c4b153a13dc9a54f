/**
 * What each event is to whoever reads the log: which group it is found in, how it ended, who did it, and one sentence of plain words. One line an event,
 * beside AUDIT_EVENTS: whoever adds an event there is asked for its line here by the compiler.
 */
import type { AuditEvent } from './audit.ts';

export const EVENT_GROUPS = {
  'sign-in': 'Signing in',
  methods: 'Two-factor methods and Recovery Key',
  help: 'Lost phones',
  account: 'Accounts and passwords',
  sessions: 'Sessions',
  people: 'Members, roles and invitations',
  policy: 'Policy and settings',
  record: 'Exports and the log itself',
} as const;
export type EventGroup = keyof typeof EVENT_GROUPS;

/** `failed`: something wrong was shown. `refused`: it was not even looked at. */
export const EVENT_RESULTS = { success: 'Success', failed: 'Failed', refused: 'Refused' } as const;
export type EventResult = keyof typeof EVENT_RESULTS;

/**
 * Who did it. `owner`: whom it happened to. `named`: the account or the API key in `by` of the details, where there is one. `unknown`: somebody who had shown nothing
 * yet that only the owner has.
 */
export type DoneBy = 'owner' | 'named' | 'unknown';

export type Details = Readonly<Record<string, string | undefined>>;

export interface EventKind {
  readonly group: EventGroup;
  readonly result: EventResult;
  readonly by: DoneBy;
  /** `method`: what people call a kind of factor. */
  readonly sentence: (details: Details, method: (kind: string) => string) => string;
}

/** What a code or a key was shown for, after "to". */
const PURPOSES: Readonly<Record<string, string>> = {
  'sign-in': 'sign in',
  'verify-email': 'verify the email',
  'change-email': 'prove a new email',
  enrol: 'set up two-factor authentication',
  confirm: 'confirm that it is them',
  disable: 'disable two-factor authentication',
  'new-recovery-key': 'get a new Recovery Key',
  'reset-password': 'reset the password',
};
const purposeOf = ({ purpose = '' }: Details): string => (purpose in PURPOSES ? ` to ${PURPOSES[purpose]}` : '');

/** AD-2: whoever reads the log judges whether somebody was helped with care. */
const because =
  (what: (details: Details) => string) =>
  (details: Details): string =>
    details['reason'] === undefined ? what(details) : `${what(details)}. Reason: ${details['reason']}`;
const checkedBy = ({ check }: Details): string => (check === undefined ? '' : ` after an identity check (${check})`);

type Sentence = EventKind['sentence'] | string;
const kind =
  (result: EventResult, by: DoneBy) =>
  (group: EventGroup, sentence: Sentence): EventKind => ({ group, result, by, sentence: typeof sentence === 'string' ? () => sentence : sentence });
const own = kind('success', 'owner');
const byNamed = kind('success', 'named');
const anybody = kind('success', 'unknown');
const failed = kind('failed', 'unknown');
const ownFailed = kind('failed', 'owner');
const refused = kind('refused', 'unknown');
const ownRefused = kind('refused', 'owner');

function whyNotIn(reason: string): string {
  if (reason === 'suspended') return 'Right password, but suspended';
  if (reason === 'provider-required') return 'Right password, but single sign-on is required';
  if (reason === 'change-first') return 'Right password, but the directory wants a new one first';
  return reason.startsWith('single sign-on') ? 'Single sign-on let nobody in' : 'Wrong password';
}

const counted = (ids: string): number => (ids === '' ? 0 : ids.split(' ').length);
const roleIn = (role = 'member'): string => `as ${/^[aeiou]/.test(role) ? 'an' : role === 'owner' ? 'the' : 'a'} ${role}`;

const EVENT_KINDS: Readonly<Record<AuditEvent, EventKind>> = {
  user_created: own('account', 'Created an account'),
  user_email_verified: own('account', 'Verified the email'),
  user_updated: byNamed('account', 'Changed name or language'),
  user_email_changed: byNamed('account', 'Changed the email'),
  user_deleted: own('account', 'Unverified account deleted: its email already had an account'),
  authn_login_success: own('sign-in', ({ methods = '' }, method) => `Signed in by ${wordsOf(methods, method)}`),
  authn_login_new_browser: own('sign-in', 'Signed in from a browser that is new to the account'),
  authn_login_fail: failed('sign-in', ({ reason = '' }) => whyNotIn(reason)),
  authn_login_throttled: refused('sign-in', 'Sign-in paused: too many wrong passwords'),
  authn_factor_success: own('sign-in', (details, method) => `Right answer by ${method(details['kind'] ?? '')}${purposeOf(details)}`),
  authn_factor_fail: failed('sign-in', (details, method) => `Wrong answer by ${method(details['kind'] ?? '')}${purposeOf(details)}`),
  authn_factor_replayed: failed('sign-in', (details, method) => `Answer by ${method(details['kind'] ?? '')} shown a second time${purposeOf(details)}`),
  authn_factor_throttled: refused('sign-in', (details, method) => `${method(details['kind'] ?? '')} paused: too many wrong answers${purposeOf(details)}`),
  authn_factor_added: own('methods', (details, method) => `Added ${named(details, method)}`),
  authn_factor_renamed: own('methods', (details, method) => `Renamed ${named(details, method)}`),
  authn_factor_replaced: own('methods', (details, method) => `Moved to a new phone: ${named(details, method)}`),
  authn_factor_removed: own('methods', (details, method) => `Removed ${named(details, method)}`),
  authn_code_sent: anybody('methods', (details) => `Code sent by email${purposeOf(details)}`),
  authn_device_trusted: own('sign-in', 'Had this browser remembered: a trusted device'),
  authn_device_trust_ended: own('sign-in', ({ reason }) => `A device is trusted no longer${reason === undefined ? '' : `: ${reason}`}`),
  authn_recovery_key_used: own('methods', (details) => `Used the Recovery Key${purposeOf(details)}`),
  authn_recovery_key_created: own('methods', 'New Recovery Key'),
  authn_bypass_code_issued: byNamed(
    'help',
    because((details) => `Bypass code issued${checkedBy(details)}`),
  ),
  authn_bypass_code_revoked: byNamed('help', 'Bypass code taken back'),
  authn_bypass_code_used: own('help', (details) => `Used a bypass code${purposeOf(details)}`),
  authn_help_asked: anybody('help', 'Asked for help behind the right password'),
  authn_help_closed: byNamed('help', 'Request for help closed'),
  authn_reset_asked: byNamed(
    'help',
    because((details) => `Reset of all methods asked for${checkedBy(details)}`),
  ),
  authn_reset_approved: byNamed('help', 'Reset of all methods agreed to'),
  authn_reset_stopped: byNamed('help', ({ how }) => `Reset of all methods stopped${how === undefined ? '' : ` ${how}`}`),
  authn_methods_reset: byNamed(
    'help',
    because((details) => `All methods reset${checkedBy(details)}`),
  ),
  authn_two_factor_enabled: own('methods', 'Turned two-factor authentication on'),
  authn_two_factor_disabled: own('methods', 'Turned two-factor authentication off'),
  authn_password_change: own('account', ({ by, organisation }) => {
    if (organisation !== undefined) return 'Has to choose a new password: an administrator asks for it';
    return by === 'reset' ? 'Chose a new password by a link from a mail' : 'Changed the password';
  }),
  authn_password_reset_requested: anybody('account', 'Link to choose a new password asked for'),
  authn_password_reset_refused: failed('account', 'Dead link to choose a new password'),
  authn_confirmed: own('sign-in', ({ methods = '' }, method) => `Confirmed that it is them by ${wordsOf(methods, method)}`),
  authn_confirm_fail: ownFailed('sign-in', 'Wrong password when asked to confirm that it is them'),
  authn_confirm_throttled: ownRefused('sign-in', 'Confirming paused: too many wrong passwords'),
  authz_fail: kind('refused', 'named')('people', ({ action = '' }) => `Tried what their role does not allow: ${action.replaceAll('-', ' ')}`),
  session_created: own('sessions', 'Session opened'),
  session_ended: byNamed('sessions', ({ reason }) => `Session ended${reason === undefined ? '' : `: ${reason}`}`),
  policy_changed: byNamed('policy', ({ from, to, changes }) =>
    changes === undefined ? `Security Policy changed from ${from} to ${to}` : `Security Policy changed: ${changes}`,
  ),
  policy_announced: byNamed('policy', 'Told people by mail what a policy would ask of them'),
  scim_user_changed: byNamed('people', ({ changes = '' }) => `Changed by the directory: ${changes.replaceAll(' ', ', ')}`),
  group_changed: byNamed('people', ({ name, to }) => `Group ${name}: ${to}`),
  group_members_changed: byNamed('people', ({ name, added = '', removed = '' }) => `Group ${name}: ${counted(added)} added, ${counted(removed)} removed`),
  privilege_permissions_changed: byNamed('people', ({ from, to }) => `Role changed from ${from} to ${to}`),
  organisation_created: own('people', ({ name }) => `Created the organisation ${name}`),
  organisation_set_up_link_made: own('people', ({ email, name }) => `Made a link by which ${email} can create the organisation ${name}`),
  organisation_invited: byNamed('people', ({ email, role }) => `Invited ${email} ${roleIn(role)}`),
  organisation_invitation_revoked: byNamed('people', ({ email, role }) => `Took back the invitation of ${email} ${roleIn(role)}`),
  organisation_joined: own('people', ({ role }) => `Joined ${roleIn(role)}`),
  organisation_left: own('people', ({ role }) => `Left the organisation, where they were ${role}`),
  organisation_member_removed: byNamed('people', ({ role }) => `Removed from the organisation, where they were ${role}`),
  organisation_member_suspended: byNamed('people', 'Suspended'),
  organisation_member_resumed: byNamed('people', 'Suspension ended'),
  organisation_ownership_transferred: byNamed('people', 'Became the owner'),
  api_key_created: byNamed('policy', ({ name, role, expires }) => `Made the API key “${name}” that acts ${roleIn(role)} until ${expires}`),
  api_key_vouched: byNamed('policy', ({ name, until }) => `Stood by the API key “${name}” until ${until}: it may do what asks for a person`),
  api_key_revoked: byNamed('policy', ({ name }) => `Revoked the API key “${name}”`),
  authn_api_key_fail: failed('sign-in', ({ reason }) => `API key refused${reason === undefined ? '' : `: ${reason}`}`),
  organisation_people_exported: byNamed('record', ({ people }) => `Exported a list of ${people} ${people === '1' ? 'person' : 'people'}`),
  organisation_audit_exported: byNamed('record', ({ format }) => `Exported the audit log as ${format}`),
  organisation_webhook_changed: byNamed('record', ({ host, to }) => `Streaming the audit log to ${host}: ${to}`),
  app_added: byNamed('policy', ({ name, host }) => `Put the app ${name} (${host}) behind the portal`),
  app_changed: byNamed('policy', ({ name, host }) => `Changed the rules of the app ${name} (${host})`),
  app_removed: byNamed('policy', ({ name, host }) => `Removed the app ${name} (${host})`),
  app_entered: own('sign-in', ({ host }) => `Opened the app at ${host}`),
  app_refused: ownRefused('sign-in', ({ host }) => `Was not let into the app at ${host}`),
  sso_connection_changed: byNamed('policy', ({ name, to }) => `Single sign-on by ${name}: ${to}`),
  sso_connection_tested: byNamed('policy', ({ name, result }) => `Tested single sign-on by ${name}: ${result}`),
  sso_domain_changed: byNamed('policy', ({ domain, to }) => `Domain ${domain}: ${to === 'connection' ? 'its addresses sign in by single sign-on' : to}`),
  sso_linked: own('account', ({ name }) => `Can sign in by ${name}`),
  sso_unlinked: byNamed('account', ({ name }) => `Can sign in by ${name} no more`),
  keys_rotated: own('record', 'Changed the key of the keys file'),
  backup_restored: own('record', 'A backup was put back: all sessions, links, bypass codes and API keys ended'),
  audit_log_pruned: own('record', ({ entries, through }) => `Removed the ${entries} oldest events of the log, up to number ${through}`),
};

/** What is shown that is no method of the account. */
const FIRST_WORDS: Readonly<Record<string, string>> = {
  password: 'password',
  sso: 'single sign-on',
  'sso-second-factor': 'the provider’s second factor',
  'trusted-device': 'a trusted device',
};

/** "password and Authenticator app" for the kinds of `methods`. */
function wordsOf(methods: string, method: (kind: string) => string): string {
  const all = methods.split(' ').map((one) => FIRST_WORDS[one] ?? method(one));
  return all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : (all[0] ?? '');
}

function named({ kind: one = '', name }: Details, method: (kind: string) => string): string {
  const words = method(one);
  return name === undefined || name === words ? words : `${words} “${name}”`;
}

/** Stands as the browser of what the operator does on the host. */
export const OPERATOR = 'command line';

/** Undefined for an event of another version. */
export const eventKindOf = (event: string): EventKind | undefined => (Object.hasOwn(EVENT_KINDS, event) ? EVENT_KINDS[event as AuditEvent] : undefined);

/** The events of a group, of a result, or of both; undefined stands for any. */
export function eventsOf({ group, result }: { readonly group: EventGroup | undefined; readonly result: EventResult | undefined }): readonly AuditEvent[] {
  return (Object.keys(EVENT_KINDS) as AuditEvent[]).filter((event) => {
    const one = EVENT_KINDS[event];
    return (group === undefined || one.group === group) && (result === undefined || one.result === result);
  });
}

export const eventGroupOf = (text: string): EventGroup | undefined => (Object.keys(EVENT_GROUPS) as EventGroup[]).find((one) => one === text);
export const eventResultOf = (text: string): EventResult | undefined => (Object.keys(EVENT_RESULTS) as EventResult[]).find((one) => one === text);
