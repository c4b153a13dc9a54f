// The program of second-process.ts. It ends when whoever started it goes.
import type { AddressInfo } from 'node:net';
import { makeApp } from '../../src/app.ts';
import { makeTestWorld, type TestWorld } from './world.ts';
import type { Told } from './second-process.ts';

let opened: { world: TestWorld; port: number } | undefined;

process.on('message', (told: Told) => {
  if (told.kind === 'clock') {
    opened!.world.clock.set(told.now);
    process.send!(opened!.port);
    return;
  }
  void open(told.options).then((port) => process.send!(port));
});
process.on('disconnect', () => process.exit(0));

async function open(options: Parameters<typeof makeTestWorld>[0]): Promise<number> {
  const world = await makeTestWorld(options);
  // A bug in here is seen by whoever reads what the tests say.
  world.log.error = (event, details) => void process.stderr.write(`${event} ${JSON.stringify(details)}\n`);
  const app = await makeApp(world, { trustedProxies: ['127.0.0.1'] });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  opened = { world, port };
  return port;
}
