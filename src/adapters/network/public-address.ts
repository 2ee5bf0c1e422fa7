/** Finds the addresses of a host and lets pass only what is on the public internet, or on the list of the operator. */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/** Nothing may be sent to the host, or nobody knows where it is. */
export class HostUnusable extends Error {
  override readonly name = 'HostUnusable';

  constructor(
    readonly reason: 'not_public' | 'unknown',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause });
  }
}

/** IANA's special-purpose registries: everything that is not a public unicast address. */
const NOT_PUBLIC = {
  4: subnets('ipv4', [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
  ]),
  // Only 2000::/3 is given out for unicast: first all the rest (what embeds IPv4 too), then the exceptions in it.
  6: subnets('ipv6', [
    ['::', 3],
    ['4000::', 2],
    ['8000::', 1],
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
  ]),
};

export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !NOT_PUBLIC[4].check(address, 'ipv4');
  return isIPv6(address) && !address.includes('%') && !NOT_PUBLIC[6].check(address, 'ipv6');
}

/**
 * All addresses of the URL's host, every one of them checked; the caller must connect to these and ask no name server
 * again, else the name may lead elsewhere by then.
 *
 * @param allowedHosts hosts, or `host:port`, that need not be public
 * @throws HostUnusable, or the signal's reason
 */
export async function checkedAddresses(
  url: URL,
  allowedHosts: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) > 0 ? [host] : await orAborted(resolveName(host), signal);
  if (!isListed(url, allowedHosts) && !addresses.every(isPublicAddress)) {
    throw new HostUnusable('not_public', `${url.host} is not on the public internet`);
  }
  return addresses;
}

export function isListed(url: URL, allowedHosts: readonly string[]): boolean {
  const hosts = [url.hostname, url.host, `${url.hostname}:${portOf(url)}`];
  return allowedHosts.some((allowed) => hosts.includes(allowed.toLowerCase()));
}

export const portOf = (url: URL): string => url.port || (url.protocol === 'https:' ? '443' : '80');

async function resolveName(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new HostUnusable('unknown', `${host} is not known to the name server`, error);
  }
}

function subnets(type: 'ipv4' | 'ipv6', networks: readonly (readonly [address: string, prefix: number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of networks) list.addSubnet(address, prefix, type);
  return list;
}

/** A name server cannot be told to stop, but need not be waited for. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
