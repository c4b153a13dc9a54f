/**
 * Whether what a directory sent is LDAP, as RFC 4511 writes it, and where its first message ends. Everything in it is looked at, down to the last length:
 * what reads it afterwards never ends where a length inside of a message leads out of it. Only answers that a client of ours may get are LDAP here.
 */
const INTEGER = 0x02;
const OCTETS = 0x04;
const BOOLEAN = 0x01;
const ENUMERATED = 0x0a;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONTROLS = 0xa0;
const REFERRAL = 0xa3;

const BIND_RESPONSE = 0x61;
const SEARCH_ENTRY = 0x64;
const SEARCH_DONE = 0x65;
const SEARCH_REFERENCE = 0x73;
const EXTENDED_RESPONSE = 0x78;
/** What follows the result in a bind's and in an extended response: 4.2.2, 4.12. */
const SASL_CREDENTIALS = 0x87;
const RESPONSE_NAME = 0x8a;
const RESPONSE_VALUE = 0x8b;

const PASSWORD_POLICY = '1.3.6.1.4.1.42.2.27.8.5.1';
const WARNING = 0xa0;
const TIME_BEFORE_EXPIRATION = 0x80;
const GRACE_REMAINING = 0x81;
const POLICY_ERROR = 0x81;
/** Controls that the library reads though nobody here asks for them: pages, persistent searches, sorting. No directory sends them unasked. */
const READ_UNASKED: readonly string[] = ['1.2.840.113556.1.4.319', '2.16.840.1.113730.3.4.3', '2.16.840.1.113730.3.4.7', '1.2.840.113556.1.4.473'];

/** Of one message. */
const BYTES_MOST = 1024 * 1024;

export function wholeMessage(bytes: Uint8Array): number | 'incomplete' | 'malformed' {
  const message = elementAt(bytes, 0, Number.MAX_SAFE_INTEGER);
  if (message === 'incomplete') return bytes.length === 0 || bytes[0] === SEQUENCE ? 'incomplete' : 'malformed';
  if (message === undefined || message.tag !== SEQUENCE || message.to > BYTES_MOST) return 'malformed';
  if (message.to > bytes.length) return 'incomplete';
  return isMessage(bytes, message) ? message.to : 'malformed';
}

/** Whether a whole message is an extended response that says success (0). */
export function extendedWell(bytes: Uint8Array): boolean {
  const message = elementAt(bytes, 0, bytes.length);
  const answer = typeof message === 'object' ? childrenOf(bytes, message)?.[1] : undefined;
  const code = answer && childrenOf(bytes, answer)?.[0];
  return answer?.tag === EXTENDED_RESPONSE && code?.tag === ENUMERATED && bytes.subarray(code.from, code.to).every((byte) => byte === 0);
}

/** One tag, length and value (X.690, 8.1): the value stands from `from` up to, but without, `to`. */
interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

/** Undefined where it does not end before `end`, or is of a kind that LDAP does not use (RFC 4511, 5.1). */
function elementAt(bytes: Uint8Array, at: number, end: number): Element | 'incomplete' | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return 'incomplete';
  if ((tag & 0x1f) === 0x1f) return undefined;
  if (first < 0x80) return within({ tag, from: at + 2, to: at + 2 + first }, end);
  const count = first & 0x7f;
  if (count === 0 || count > 4) return undefined;
  if (bytes.length < at + 2 + count) return 'incomplete';
  let length = 0;
  for (const byte of bytes.subarray(at + 2, at + 2 + count)) length = length * 256 + byte;
  return within({ tag, from: at + 2 + count, to: at + 2 + count + length }, end);
}

const within = (element: Element, end: number): Element | undefined => (element.to <= end ? element : undefined);

/** Undefined where they do not fill it to the byte. */
function childrenOf(bytes: Uint8Array, { from, to }: Element): Element[] | undefined {
  const children: Element[] = [];
  for (let at = from; at < to; at = children.at(-1)!.to) {
    const child = elementAt(bytes, at, to);
    if (child === undefined || child === 'incomplete') return undefined;
    children.push(child);
  }
  return children;
}

type Check = (bytes: Uint8Array, element: Element) => boolean;

const plain =
  (tag: number): Check =>
  (_bytes, element) =>
    element.tag === tag;
const octets = plain(OCTETS);
/** Numbers of LDAP fit into four bytes, and have one at least. */
const number =
  (tag: number): Check =>
  (_bytes, { tag: own, from, to }) =>
    own === tag && to - from >= 1 && to - from <= 4;

/** `needed` in this order, then any of `more`, in theirs. */
const row =
  (tag: number, needed: readonly Check[], more: readonly Check[] = []): Check =>
  (bytes, element) => {
    const children = element.tag === tag ? childrenOf(bytes, element) : undefined;
    if (!children || children.length < needed.length || !needed.every((check, index) => check(bytes, children[index]!))) return false;
    let next = 0;
    return children.slice(needed.length).every((child) => {
      while (next < more.length && !more[next]!(bytes, child)) next += 1;
      next += 1;
      return next <= more.length;
    });
  };
const many =
  (tag: number, each: Check): Check =>
  (bytes, element) =>
    element.tag === tag && (childrenOf(bytes, element)?.every((child) => each(bytes, child)) ?? false);

function either(one: Check, other: Check): Check {
  return (bytes, element) => one(bytes, element) || other(bytes, element);
}

const result = (tag: number, more: readonly Check[] = []): Check => row(tag, [number(ENUMERATED), octets, octets], [many(REFERRAL, octets), ...more]);
const attribute = row(SEQUENCE, [octets, many(SET, octets)]);
const OPERATIONS: readonly Check[] = [
  result(BIND_RESPONSE, [plain(SASL_CREDENTIALS)]),
  result(SEARCH_DONE),
  result(EXTENDED_RESPONSE, [plain(RESPONSE_NAME), plain(RESPONSE_VALUE)]),
  row(SEARCH_ENTRY, [octets, many(SEQUENCE, attribute)]),
  many(SEARCH_REFERENCE, octets),
];
const operation: Check = (bytes, element) => OPERATIONS.some((check) => check(bytes, element));
const control = row(SEQUENCE, [octets], [number(BOOLEAN), octets]);
/** draft-behera-ldap-password-policy-11, 6.2: what is read of the one control that is asked for. */
const policySaid = row(SEQUENCE, [], [row(WARNING, [either(number(TIME_BEFORE_EXPIRATION), number(GRACE_REMAINING))]), number(POLICY_ERROR)]);
const isControl: Check = (bytes, element) => {
  const [type, ...more] = control(bytes, element) ? childrenOf(bytes, element)! : [];
  if (!type) return false;
  const name = new TextDecoder().decode(bytes.subarray(type.from, type.to));
  if (READ_UNASKED.includes(name)) return false;
  const value = more.at(-1);
  const [said, ...others] = (name === PASSWORD_POLICY && value?.tag === OCTETS ? childrenOf(bytes, value) : undefined) ?? [];
  return name !== PASSWORD_POLICY || (said !== undefined && others.length === 0 && policySaid(bytes, said));
};
const isMessage = row(SEQUENCE, [number(INTEGER), operation], [many(CONTROLS, isControl)]);
