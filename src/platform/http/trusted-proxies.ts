import { BlockList, isIP } from 'node:net';

/** Whose word counts on where a request comes from: addresses and networks, as the operator named them. Nobody's, where none is named. */
export function whoIsTrusted(networks: readonly string[]): (address: string | undefined) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return (address = '') => {
    // ::ffff:192.0.2.1 is 192.0.2.1 on a socket that takes both kinds.
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  };
}
