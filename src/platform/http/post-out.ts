/**
 * Posting to an address that somebody typed in. Where it leads is looked up once, and looked at, as the connection is made: what was looked at is what is
 * connected to, so that a name which answers differently the second time leads nowhere else. No redirect is followed, nothing of the answer is read but
 * its status, and all of it has a time that it may take.
 */
import { lookup as systemLookup } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { seconds } from '../durations.ts';
import { failureFrom, publicOnly, type NetworkFailureReason } from './network.ts';
import { isPublicAddress } from './public-address.ts';

export type Posted = { readonly ok: true; readonly status: number } | { readonly ok: false; readonly reason: PostFailure; readonly status?: number };
export type PostFailure = Exclude<NetworkFailureReason, 'too-large' | 'not-https' | 'not-encrypted' | 'no-encryption' | 'unreadable'> | 'status';

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Where this machine and its network may be reached: for development. */
  readonly allowPrivate: boolean;
  readonly lookup?: typeof systemLookup;
  readonly millisecondsMost?: number;
}

const MILLISECONDS_MOST = seconds(10);
const HEADER_BYTES_MOST = 16 * 1024;

export async function postOut({ url, headers, body, allowPrivate, lookup = systemLookup, millisecondsMost = MILLISECONDS_MOST }: Post): Promise<Posted> {
  const literal = url.hostname.replace(/^\[|\]$/g, '');
  // Numbers are never looked up. The URL has been parsed, so that 127.1 and 0x7f000001 are 127.0.0.1 by now.
  if (!allowPrivate && isIP(literal) !== 0 && !isPublicAddress(literal)) return { ok: false, reason: 'private-address' };
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const signal = AbortSignal.timeout(millisecondsMost);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = send(url, {
        method: 'POST',
        agent: false,
        signal,
        maxHeaderSize: HEADER_BYTES_MOST,
        lookup: allowPrivate ? lookup : publicOnly(lookup),
        headers: { ...headers, 'content-length': String(Buffer.byteLength(body)), connection: 'close' },
      });
      sent.on('response', resolve).on('error', reject).end(body);
    });
    response.on('error', () => undefined).destroy();
    return answered(response.statusCode ?? 0);
  } catch (error) {
    return { ok: false, reason: signal.aborted ? 'too-slow' : (failureFrom(error).reason as PostFailure) };
  }
}

function answered(status: number): Posted {
  if (status >= 200 && status < 300) return { ok: true, status };
  return { ok: false, reason: status >= 300 && status < 400 ? 'redirect' : 'status', status };
}
