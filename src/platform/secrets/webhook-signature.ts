// How a receiver knows that a message is ours: Standard Webhooks (standardwebhooks.com), HMAC-SHA-256 over id, time and body.
import { createHmac } from 'node:crypto';
import type { World } from '../world.ts';

const SECRET_BYTES = 32;
const FRONT = 'whsec_';

export const makeWebhookSecret = ({ random }: Pick<World, 'random'>): string => FRONT + Buffer.from(random.bytes(SECRET_BYTES)).toString('base64');

/** The three headers of a message. `at`: epoch milliseconds. */
export function webhookHeaders(secret: string, { id, at, body }: { id: string; at: number; body: string }): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const key = Buffer.from(secret.slice(FRONT.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
