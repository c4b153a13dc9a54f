/** A program that takes webhooks, on a port of this machine, and checks them by the specification of Standard Webhooks, with code of its own. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A status; or to go where; or to never answer. */
type Reply = number | { readonly to: string } | 'silence';

export class Receiver implements AsyncDisposable {
  readonly received: Received[] = [];
  reply: Reply = 200;
  /** Called while a message is on its way, before it is answered. */
  meanwhile: () => Promise<unknown> = async () => undefined;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', (request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (part: string) => (body += part));
      request.on('end', () => {
        receiver.received.push({ path: request.url!, headers: request.headers, body });
        void receiver.meanwhile().then(() => {
          const { reply } = receiver;
          if (reply === 'silence') return;
          if (typeof reply === 'number') response.writeHead(reply).end('x'.repeat(100_000));
          else response.writeHead(302, { location: reply.to }).end();
        });
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/log?token=of-the-receiver`;
  }

  /** All events that came, message after message. */
  get events(): Record<string, unknown>[] {
    return this.received.flatMap(({ body }) => (JSON.parse(body) as { events: Record<string, unknown>[] }).events);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}

/** As the specification has it: HMAC-SHA-256 over id, timestamp and body, keyed by what stands behind `whsec_`, in base64. */
export function isSigned({ headers, body }: Received, secret: string): boolean {
  const [version, signature] = String(headers['webhook-signature']).split(',');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const wanted = createHmac('sha256', key)
    .update(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`)
    .digest('base64');
  return version === 'v1' && signature === wanted;
}
