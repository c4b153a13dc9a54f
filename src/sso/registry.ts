// Every protocol: the one list. A new one is its folder and its line here.
import type { AnyProtocol } from './contract.ts';

export const protocols: readonly AnyProtocol[] = [];

export const protocolOf = (kind: string): AnyProtocol | undefined => protocols.find((protocol) => protocol.kind === kind);
