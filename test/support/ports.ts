// Ports of this machine, for servers that tests start.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** One that nobody listened on a moment ago. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Asks until it `isUp`; what it fails with is not yet. Throws with what `log` says where that does not come. */
export async function untilUp(isUp: () => Promise<boolean>, { name, log }: { name: string; log: () => string }): Promise<void> {
  for (let tries = 0; tries < 150; tries += 1) {
    try {
      if (await isUp()) return;
    } catch {
      // Not yet.
    }
    await pause(100);
  }
  throw new Error(`${name} did not start.\n${log().slice(-3000)}`);
}

/** Throws where nobody listens. */
export async function listens(port: number): Promise<true> {
  const socket = connect(port, 'localhost');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
