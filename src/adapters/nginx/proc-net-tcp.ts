/** Reads Linux' own table of TCP connections, as `/proc/net/tcp` shows it. */

const ESTABLISHED = '01';

/** How many connections are open to one of the IPv4 addresses, by the text of `/proc/net/tcp`. */
export function countEstablished(table: string, addresses: readonly string[]): number {
  const wanted = new Set(addresses.map(littleEndianHex));
  return table.split('\n').filter((line) => {
    // sl, local_address, rem_address, st, …
    const [, , remote, state] = line.trim().split(/\s+/);
    return state === ESTABLISHED && wanted.has(remote?.split(':')[0] ?? '');
  }).length;
}

/** The address as the kernel of our processors prints it: the last byte first. */
function littleEndianHex(address: string): string {
  return address
    .split('.')
    .map((part) => Number(part).toString(16).padStart(2, '0').toUpperCase())
    .reverse()
    .join('');
}
