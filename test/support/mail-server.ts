/**
 * A real SMTP server on loopback whose inbox a test reads, and which fails in the ways that mail servers fail:
 *   await using mail = await startMailServer();
 *   const letter = await mail.next('ada@example.org');
 */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import PostalMime, { type Email } from 'postal-mime';
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server';
import { localhostCertificate } from './localhost-certificate.ts';

export interface MailServerOptions {
  /** Offers STARTTLS; its certificate is `mail.certificate`. */
  readonly startTls?: boolean;
  /** Asks for a name and a password. */
  readonly login?: { readonly user: string; readonly password: string };
}

/** What a test may change while the server runs. */
export interface MailFaults {
  /** Recipients that are answered with 550. */
  reject: (address: string) => boolean;
  /** Messages that are answered with 451, to be tried again. */
  defer: (address: string) => boolean;
  /** Takes the message, keeps it, and drops the connection instead of answering: the sender cannot know. */
  dropAfterData: boolean;
}

export interface Mail {
  /** From the envelope. */
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Names are in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** By which it came. */
  readonly encrypted: boolean;
  readonly user: string | undefined;
  readonly raw: string;
  readonly parsed: Email;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  /** smtp://user:password@127.0.0.1:port */
  readonly url: string;
  /** PEM of the certificate that STARTTLS shows. */
  readonly certificate: string;
  /** All that came, oldest first. */
  readonly inbox: readonly Mail[];
  readonly faults: MailFaults;
  /** The oldest mail to `address` that no earlier call has returned; waits for it up to `withinSeconds` (5). */
  next(address: string, withinSeconds?: number): Promise<Mail>;
  /** Forgets what came. */
  clear(): void;
  /** Connections are refused until `comeBack`, which takes the same port. */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  close(): Promise<void>;
}

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const box = new Inbox();
  const faults: MailFaults = { reject: () => false, defer: () => false, dropAfterData: false };
  let server: SMTPServer | undefined = await listen(0, options, { box, faults });
  const { port } = server.server.address() as AddressInfo;
  const login = options.login && `${encodeURIComponent(options.login.user)}:${encodeURIComponent(options.login.password)}@`;
  const goDown = async (): Promise<void> => {
    const closing = server;
    server = undefined;
    if (!closing) return;
    const closed = new Promise<void>((resolve) => closing.close(resolve));
    // Pooled connections would hold the server open.
    for (const connection of closing.connections as Set<Connection>) connection._socket.destroy();
    await closed;
  };

  return {
    port,
    url: `smtp://${login ?? ''}127.0.0.1:${port}`,
    certificate: localhostCertificate.certificate,
    inbox: box.mails,
    faults,
    next: (address, withinSeconds = 5) => box.next(address, withinSeconds),
    clear: () => box.clear(),
    goDown,
    comeBack: async () => void (server ??= await listen(port, options, { box, faults })),
    close: goDown,
    [Symbol.asyncDispose]: goDown,
  };
}

class Inbox {
  readonly mails: Mail[] = [];
  readonly #read = new Set<Mail>();
  #waiting: (() => void)[] = [];

  add(mail: Mail): void {
    this.mails.push(mail);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  clear(): void {
    this.mails.length = 0;
  }

  async next(address: string, withinSeconds: number): Promise<Mail> {
    const deadline = AbortSignal.timeout(withinSeconds * 1000);
    for (;;) {
      const found = this.mails.find((mail) => mail.to.includes(address) && !this.#read.has(mail));
      if (found) {
        this.#read.add(found);
        return found;
      }
      if (deadline.aborted)
        throw new Error(
          `No mail to ${address} came. The inbox has: ${this.mails.map((mail) => `'${mail.subject}' to ${mail.to.join(', ')}`).join('; ') || 'nothing'}.`,
        );
      await new Promise<void>((resolve) => {
        deadline.addEventListener('abort', () => resolve(), { once: true });
        this.#waiting.push(resolve);
      });
    }
  }
}

/** What smtp-server's types leave open. */
interface Connection {
  readonly session: SMTPServerSession;
  readonly _socket: Socket;
}

async function listen(port: number, { startTls, login }: MailServerOptions, { box, faults }: { box: Inbox; faults: MailFaults }): Promise<SMTPServer> {
  const settings: SMTPServerOptions = {
    ...(startTls ? { key: localhostCertificate.key, cert: localhostCertificate.certificate } : { hideSTARTTLS: true }),
    authOptional: !login,
    allowInsecureAuth: !startTls,
    disableReverseLookup: true,
    onAuth: (given, _session, answer) =>
      login && given.username === login.user && given.password === login.password
        ? answer(null, { user: given.username })
        : answer(refusal(535, 'Wrong name or password')),
    onRcptTo: ({ address }, _session, answer) => {
      if (faults.reject(address)) answer(refusal(550, 'No such mailbox'));
      else answer(faults.defer(address) ? refusal(451, 'Try again later') : null);
    },
    onData: (stream, session, answer) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        void parseMail(Buffer.concat(parts), session).then((mail) => {
          box.add(mail);
          if (faults.dropAfterData) dropConnection(server, session);
          else answer();
        }, answer);
      });
    },
  };
  const server = new SMTPServer(settings);
  // A client that hangs up is no failure of the test.
  server.on('error', () => undefined);
  server.listen(port, '127.0.0.1');
  await once(server.server, 'listening');
  return server;
}

function dropConnection(server: SMTPServer, session: SMTPServerSession): void {
  for (const connection of server.connections as Set<Connection>) if (connection.session.id === session.id) connection._socket.destroy();
}

const refusal = (responseCode: number, message: string): Error => Object.assign(new Error(message), { responseCode });

async function parseMail(raw: Buffer, { envelope, secure, user }: SMTPServerSession): Promise<Mail> {
  const parsed = await PostalMime.parse(raw);
  return {
    from: envelope.mailFrom ? envelope.mailFrom.address : '',
    to: envelope.rcptTo.map((recipient) => recipient.address),
    subject: parsed.subject ?? '',
    text: parsed.text ?? '',
    html: parsed.html ?? '',
    headers: new Map(parsed.headers.map((header) => [header.key, header.value])),
    encrypted: secure,
    user,
    raw: raw.toString(),
    parsed,
  };
}
