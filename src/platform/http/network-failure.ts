// Why nothing came back from a server that somebody named.

export type NetworkFailureReason =
  | 'private-address'
  | 'unknown-host'
  | 'no-connection'
  | 'certificate'
  | 'too-slow'
  | 'too-large'
  | 'not-https'
  | 'not-encrypted'
  | 'no-encryption'
  | 'unreadable'
  | 'redirect';

/** Why nothing came back. `message` is a sentence for whoever typed the address. */
export class NetworkFailure extends Error {
  readonly reason: NetworkFailureReason;
  constructor(reason: NetworkFailureReason, options?: ErrorOptions) {
    super(SENTENCES[reason], options);
    this.reason = reason;
  }
}

const SENTENCES: Readonly<Record<NetworkFailureReason, string>> = {
  'private-address': 'The address is of a private network, and the operator of the portal has not named it in TWINLOCK_PRIVATE_HOSTS.',
  'unknown-host': 'There is no host of that name.',
  'no-connection': 'No connection came about.',
  certificate: 'The certificate of the server is not good: it is expired, for another name, or of an authority that this machine does not know.',
  'too-slow': 'The server took too long to answer.',
  'too-large': 'The server answered more than anybody would need.',
  'not-https': 'The address has to start with https://.',
  'not-encrypted':
    'The connection would not be encrypted, which is allowed only with hosts that the operator of the portal has named in TWINLOCK_PRIVATE_HOSTS.',
  'no-encryption': 'The server offers no encryption.',
  unreadable: 'The server answered something that makes no sense. Is the port right?',
  redirect: 'The server answered that it has moved. Enter the address that it moved to.',
};

/** What a connection failed for, by the code that Node gives it. */
export function failureFrom(error: unknown): NetworkFailure {
  if (error instanceof NetworkFailure) return error;
  const { code = '', cause } = error as { code?: string; cause?: unknown };
  if (cause instanceof NetworkFailure) return cause;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return new NetworkFailure('unknown-host', { cause: error });
  if (/OVERFLOW/.test(code)) return new NetworkFailure('too-large', { cause: error });
  if (/TIMEOUT/.test(code)) return new NetworkFailure('too-slow', { cause: error });
  return new NetworkFailure(/CERT|SIGN|ISSUER|TLS|SSL/.test(code) ? 'certificate' : 'no-connection', { cause: error });
}
