/**
 * A name server on a port of this machine, for the TXT records that a test writes.
 *   await using names = await NameServer.start();
 *   names.records.set('_twinlock.example.org', ['twinlock=…']);
 *   makeTestWorld({ network: { nameServers: [names.address] } });
 */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import dnsPacket from 'dns-packet';

export class NameServer implements AsyncDisposable {
  readonly records = new Map<string, readonly string[]>();
  /** 'down': no answer ever comes. */
  state: 'up' | 'down' = 'up';
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (message, from) => {
      if (this.state === 'down') return;
      const { id, questions = [] } = dnsPacket.decode(message);
      const name = questions[0]?.name.toLowerCase() ?? '';
      const answers = (this.records.get(name) ?? []).map((text) => ({ type: 'TXT' as const, name, ttl: 1, data: [text] }));
      const code = this.records.has(name) ? 0 : NO_SUCH_NAME;
      socket.send(
        dnsPacket.encode({ type: 'response', id: id ?? 0, flags: dnsPacket.AUTHORITATIVE_ANSWER | code, questions, answers }),
        from.port,
        from.address,
      );
    });
  }

  static async start(): Promise<NameServer> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NameServer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => void this.#socket.close(() => resolve()));
  }
}

/** RFC 1035, 4.1.1 */
const NO_SUCH_NAME = 3;
