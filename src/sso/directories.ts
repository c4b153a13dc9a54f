// Asking a directory with the password that was typed. The door is sso.ts.
import type { World } from '../platform/world.ts';
import type { Connection } from './connections.ts';
import type { PasswordAnswer } from './contract.ts';
import { protocolOf } from './registry.ts';
import { failing, toolsFor } from './round-trips.ts';

/** The caller has counted the try. */
export async function checkPasswordAt(world: World, connection: Connection, { email, password }: { email: string; password: string }): Promise<PasswordAnswer> {
  const protocol = protocolOf(connection.kind);
  if (protocol?.way !== 'password') return { ok: false, reason: 'misconfigured', detail: 'This connection takes no passwords.' };
  return failing(() => protocol.check(toolsFor(world), { settings: connection.settings, email, password }));
}
