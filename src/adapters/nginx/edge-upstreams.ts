/** The groups of servers that the edge passes requests to: pure text from backends. */
import type { Backend, Traffic } from '../../domain/traffic.js';
import {
  addressAndPort,
  appName,
  environmentName,
  inOrder,
  ipv4,
  percentage,
  portNumber,
  serviceName,
} from './edge-values.js';

/** Room for the state of some hundred servers; only what is used of it takes memory. */
const ZONE = '256k';
/** A server that does not answer is left out for this long. */
const HEALTH = 'max_fails=1 fail_timeout=2s';
/**
 * Idle connections to apps are kept for less than the five seconds after which Node's server closes them: the side that closes first
 * never sends a request into a closing connection.
 */
const KEEP_IDLE = ['  keepalive 32;', '  keepalive_timeout 4s;'];

export type VersionName = 'stable' | 'canary';
export const VERSIONS: readonly VersionName[] = ['stable', 'canary'];

/**
 * Where requests go that have been given to a version. The two are there in every configuration, whatever apps it has: workers of the
 * one before, which still serve kept connections, find them after an app's canary has gone. In memory, because there every start of a
 * container begins empty and no socket can be left over.
 */
export const versionSocket = (version: VersionName): string => `unix:/dev/shm/flukedeploy-${version}.sock`;
export const versionHop = (version: VersionName): string => `fd_hop_${version}`;

/** Names an app in one environment. Neither part can hold `_`, so that no two pairs have one name. */
export const appKey = (traffic: Pick<Traffic, 'app_name' | 'environment'>): string =>
  `${appName(traffic.app_name)}_${environmentName(traffic.environment)}`;

export type UpstreamRole = VersionName | 'preview' | 'split';
export const upstreamName = (traffic: Traffic, role: UpstreamRole): string => `fd_${appKey(traffic)}_${role}`;

/** Whether anything stands behind these: an empty list of addresses is none. */
export const hasServers = (backends: readonly Backend[]): boolean => serverLines(backends).length > 0;

/** A name that DNS may know although the group does not yet; none where all addresses are given. */
export function nameToAsk(backends: readonly Backend[]): string | undefined {
  const [first] = inOrder(
    backends
      .filter(({ addresses }) => addresses === undefined)
      .map(({ service, port }) => `${serviceName(service)}:${portNumber(port)}`),
  );
  return first;
}

/** All groups of an app. */
export function appUpstreams(traffic: Traffic): string[] {
  const { canary, preview } = traffic;
  return [
    ...upstream(upstreamName(traffic, 'stable'), traffic.stable),
    ...(canary ? upstream(upstreamName(traffic, 'canary'), [canary.backend]) : []),
    ...(canary && isSplit(canary.weight) ? splitUpstream(upstreamName(traffic, 'split'), canary.weight) : []),
    ...(preview ? upstream(upstreamName(traffic, 'preview'), [preview.backend]) : []),
  ];
}

export const isSplit = (weight: number): boolean => percentage(weight) > 0 && weight < 100;

/** The ways into the two versions for requests that are sent to one of them by a cookie or a header. */
export function hopUpstreams(): string[] {
  return VERSIONS.flatMap((version) => [
    `upstream ${versionHop(version)} {`,
    `  server ${versionSocket(version)} max_fails=0;`,
    '}',
  ]);
}

export function captainUpstream(name: string, target: string): string[] {
  const { host, port } = addressAndPort(target);
  const resolve = /^[\d.]+$/.test(host) ? `${ipv4(host)}:${port}` : `${host}:${port} resolve`;
  return [`upstream ${name} {`, `  zone ${name} ${ZONE};`, `  server ${resolve} max_fails=0;`, ...KEEP_IDLE, '}'];
}

/** In turn instead of at random: the shared zone counts for all workers, so that ten percent are ten of every hundred. */
function splitUpstream(name: string, weight: number): string[] {
  return [
    `upstream ${name} {`,
    `  zone ${name} ${ZONE};`,
    `  server ${versionSocket('stable')} weight=${100 - weight} max_fails=0;`,
    `  server ${versionSocket('canary')} weight=${weight} max_fails=0;`,
    '}',
  ];
}

function upstream(name: string, backends: readonly Backend[]): string[] {
  const servers = serverLines(backends);
  if (servers.length === 0) return [];
  return [`upstream ${name} {`, `  zone ${name} ${ZONE};`, ...servers, ...KEEP_IDLE, '}'];
}

function serverLines(backends: readonly Backend[]): string[] {
  return inOrder(
    backends.flatMap(({ service, port, addresses }) =>
      addresses === undefined
        ? [`  server ${serviceName(service)}:${portNumber(port)} resolve ${HEALTH};`]
        : addresses.map((address) => `  server ${ipv4(address)}:${portNumber(port)} ${HEALTH};`),
    ),
  );
}
