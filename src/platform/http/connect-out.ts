/**
 * A connection of the way out for protocols other than HTTP, made by network.ts to addresses that it looked at. Bounded as a whole: from the first packet to the
 * last it has so many milliseconds and so many bytes. What arrives is handed on in whole messages, each of which the protocol has looked at first: libraries
 * that take bytes apart may be trusted with those that are well formed, and with no others.
 */
import { once } from 'node:events';
import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { failureFrom, NetworkFailure } from './network-failure.ts';

/** How many bytes the first whole message has; 'incomplete' where more have to come, 'malformed' where no more can help. */
export type WholeMessage = (bytes: Uint8Array) => number | 'incomplete' | 'malformed';

export interface ConnectTo {
  readonly host: string;
  readonly port: number;
  /** `start-tls`: what is asked in plain text first, and whether the one message that comes back agrees. */
  readonly encryption: 'tls' | 'none' | { readonly ask: Uint8Array; agrees(answer: Uint8Array): boolean };
  /** PEM certificates that are trusted in place of the system's. */
  readonly authority: string | undefined;
  readonly wholeMessage: WholeMessage;
}

interface Limits {
  readonly millisecondsMost: number;
  readonly bytesMost: number;
}

const ADDRESSES_MOST = 4;

export async function connectOut(addresses: readonly string[], to: ConnectTo, limits: Limits): Promise<ConnectionOut> {
  const deadline = AbortSignal.timeout(limits.millisecondsMost);
  let failure: unknown = new NetworkFailure('unknown-host');
  for (const address of addresses.slice(0, ADDRESSES_MOST)) {
    try {
      return new ConnectionOut(await reach(address, to, { deadline, bytesMost: limits.bytesMost }), to.wholeMessage, { deadline, bytesMost: limits.bytesMost });
    } catch (error) {
      failure = deadline.aborted ? new NetworkFailure('too-slow', { cause: error }) : error;
      if (deadline.aborted) break;
    }
  }
  throw failureFrom(failure);
}

interface Bounds {
  readonly deadline: AbortSignal;
  readonly bytesMost: number;
}

async function reach(address: string, to: ConnectTo, bounds: Bounds): Promise<Socket> {
  const socket = connectPlain({ host: address, port: to.port });
  const abort = (): void => void socket.destroy(new NetworkFailure('too-slow'));
  bounds.deadline.addEventListener('abort', abort, { once: true });
  try {
    // `once` throws what the socket fails with. After it, somebody has to be listening at any time, or a reset would end the process.
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    if (to.encryption === 'none') return socket;
    if (to.encryption !== 'tls') await agreeOnTls(socket, to.encryption, { wholeMessage: to.wholeMessage, ...bounds });
    return await encrypt(socket, to);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    bounds.deadline.removeEventListener('abort', abort);
  }
}

async function encrypt(socket: Socket, { host, authority }: ConnectTo): Promise<TLSSocket> {
  const encrypted = connectTls({
    socket,
    // RFC 6066, 3: a server name is never a number. What it is checked against is what was typed, not where the name led.
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(authority === undefined ? {} : { ca: authority }),
    minVersion: 'TLSv1.2',
    checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
  });
  await once(encrypted, 'secureConnect');
  encrypted.on('error', () => undefined);
  return encrypted;
}

/** Whatever stands behind the answer in plain text could be of anybody: it ends the connection (the flaw of STARTTLS). */
async function agreeOnTls(
  socket: Socket,
  { ask, agrees }: Exclude<ConnectTo['encryption'], string>,
  { wholeMessage, bytesMost }: Bounds & { wholeMessage: WholeMessage },
): Promise<void> {
  socket.write(ask);
  let held = Buffer.alloc(0);
  for (;;) {
    const piece = await nextPiece(socket);
    held = Buffer.concat([held, piece]);
    const length = wholeMessage(held);
    if (length === 'malformed' || held.length > bytesMost || (length !== 'incomplete' && length !== held.length)) throw new NetworkFailure('unreadable');
    if (length === 'incomplete') continue;
    if (!agrees(held)) throw new NetworkFailure('no-encryption');
    return;
  }
}

/** Paused again afterwards, so that nothing is read but by whoever asks next. */
async function nextPiece(socket: Socket): Promise<Buffer> {
  const piece = await new Promise<Buffer>((resolve, reject) => {
    const stop = (): void => {
      socket.off('data', onData).off('close', onClose).pause();
    };
    const onData = (data: Buffer): void => (stop(), resolve(data));
    const onClose = (): void => (stop(), reject(socket.errored ?? new NetworkFailure('no-connection')));
    socket.on('data', onData).on('close', onClose).resume();
  });
  return piece;
}

export class ConnectionOut extends Duplex {
  /** As libraries ask of a socket that they are given. */
  readonly connecting = false;
  readonly readyState = 'open';
  /** Why it ended, where it did not end well: libraries make their own errors of it. */
  failure: NetworkFailure | undefined;
  readonly #socket: Socket;
  readonly #wholeMessage: WholeMessage;
  readonly #bounds: Bounds;
  readonly #abort = (): void => this.#fail(new NetworkFailure('too-slow'));
  #held: Buffer = Buffer.alloc(0);
  #bytes = 0;

  constructor(socket: Socket, wholeMessage: WholeMessage, bounds: Bounds) {
    super();
    this.#socket = socket;
    this.#wholeMessage = wholeMessage;
    this.#bounds = bounds;
    bounds.deadline.addEventListener('abort', this.#abort, { once: true });
    // The last listener of errors, which no library takes away: it asks for `failure`.
    this.on('error', () => undefined);
    socket.on('data', (data: Buffer) => this.#take(data));
    socket.on('error', (error) => this.#fail(failureFrom(error)));
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
    if (bounds.deadline.aborted) this.#abort();
  }

  override _read(): void {
    // What may come is bounded, so nobody has to be held back.
  }

  override _write(data: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#socket.write(data, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#bounds.deadline.removeEventListener('abort', this.#abort);
    this.#socket.destroy();
    done(error);
  }

  #take(data: Buffer): void {
    this.#bytes += data.length;
    if (this.#bytes > this.#bounds.bytesMost) return this.#fail(new NetworkFailure('too-large'));
    this.#held = Buffer.concat([this.#held, data]);
    while (this.#held.length > 0 && !this.destroyed) {
      const length = this.#wholeMessage(this.#held);
      if (length === 'incomplete') return;
      if (length === 'malformed') return this.#fail(new NetworkFailure('unreadable'));
      this.push(this.#held.subarray(0, length));
      this.#held = this.#held.subarray(length);
    }
  }

  #fail(failure: NetworkFailure): void {
    this.failure ??= failure;
    this.destroy(failure);
  }
}
