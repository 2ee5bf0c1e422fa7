/** The edge's whole configuration as one file: a pure function of what it shall serve. */
import type { EdgeState } from '../../domain/edge-ports.js';
import type { Traffic } from '../../domain/traffic.js';
import { canaryMaps, requestLogs, versionMaps, visitorMaps } from './edge-canary.js';
import { certificateFiles } from './edge-certificates.js';
import { CONTROL_PORT, TUNNEL_PORT } from './edge-paths.js';
import {
  appSites,
  backendAnswer,
  FORWARD_HEADERS,
  type Site,
  siteServers,
  unknownHosts,
  versionServers,
} from './edge-servers.js';
import { appKey, appUpstreams, captainUpstream, hopUpstreams } from './edge-upstreams.js';
import { challengeToken, inOrder, keyAuthorization, literally, portNumber, sha256 } from './edge-values.js';
import { DeployError } from '../../domain/errors.js';

export interface EdgeConfigOptions {
  /** The port under which clients reach the encrypted side; redirects name it. */
  readonly httpsPort: number;
  /** From `secretAddress`. */
  readonly tunnelAddress: string;
  /** How long connections of a configuration before may go on; after that they are cut. */
  readonly drainSeconds: number;
  readonly bodyMegabytes: number;
}

export interface EdgeConfig {
  readonly text: string;
  /** Hash of the text; what serves can be asked for it. */
  readonly revision: string;
}

const CAPTAIN = 'fd_captain';
const REVISION = /^# revision ([0-9a-f]{64})\n/;

/** @throws DeployError `edge_rejected` when a value is not fit for the file, or a host name has two owners */
export function edgeConfig(state: EdgeState, options: EdgeConfigOptions): EdgeConfig {
  const apps = [...state.traffic].sort((one, other) => (appKey(one) < appKey(other) ? -1 : 1));
  const sites = [...apps.flatMap(appSites), ...captainSite(state)];
  refuseDoubles(apps.map(appKey), 'app');
  refuseDoubles(
    sites.flatMap(({ hosts }) => [...new Set(hosts)]),
    'host name',
  );
  const body = (revision: string) => lines(main(state, options, apps, sites, revision));
  const revision = sha256(body(''));
  return { text: `# revision ${revision}\n${body(revision)}`, revision };
}

/** Of a configuration that this code has written; `undefined` for any other text. */
export const revisionIn = (text: string): string | undefined => REVISION.exec(text)?.[1];

function main(
  state: EdgeState,
  options: EdgeConfigOptions,
  apps: readonly Traffic[],
  sites: readonly Site[],
  revision: string,
): string[] {
  const { httpsPort, drainSeconds } = options;
  const certificates = certificateFiles(state.certificates);
  return [
    // Debian has its modules there; where they are built in, the folder is missing and nothing matches.
    'include /etc/nginx/modules-enabled/*.conf;',
    'worker_processes auto;',
    'worker_rlimit_nofile 65536;',
    `worker_shutdown_timeout ${drainSeconds}s;`,
    'error_log /dev/stderr warn;',
    'events { worker_connections 16384; }',
    ...block('http', [
      ...httpSettings(options),
      ...maps(state),
      ...visitorMaps(),
      ...versionMaps(apps),
      ...apps.flatMap((traffic) => (traffic.canary ? canaryMaps(traffic, traffic.canary) : [])),
      ...requestLogs(),
      ...hopUpstreams(),
      ...apps.flatMap(appUpstreams),
      ...(state.captain ? captainUpstream(CAPTAIN, state.captain.upstream) : []),
      ...versionServers(),
      ...control(revision),
      ...unknownHosts(),
      ...sites.flatMap((site) => siteServers(site, { certificates, httpsPort: portNumber(httpsPort) })),
    ]),
    ...block('stream', tunnel(options.tunnelAddress)),
  ];
}

/** What holds for all requests; the reasons for times and limits that are not nginx's own. */
function httpSettings({ bodyMegabytes }: EdgeConfigOptions): string[] {
  return [
    'access_log off;',
    'server_tokens off;',
    'default_type text/plain;',
    'server_names_hash_max_size 65536;',
    'server_names_hash_bucket_size 512;',
    'map_hash_max_size 65536;',
    'map_hash_bucket_size 512;',
    'variables_hash_max_size 16384;',
    'variables_hash_bucket_size 256;',
    'proxy_headers_hash_max_size 1024;',
    'proxy_headers_hash_bucket_size 128;',
    // Docker answers with a lifetime of ten minutes; a task leaves its DNS two seconds before it is told to stop.
    'resolver 127.0.0.11 valid=1s ipv6=off;',
    'resolver_timeout 2s;',
    // A kept connection outlives a reload: a client whose next request is under way would lose it.
    'keepalive_min_timeout 10s;',
    `client_max_body_size ${bodyMegabytes}m;`,
    'proxy_http_version 1.1;',
    // An address of the overlay that has gone does not refuse, it is silent.
    'proxy_connect_timeout 1s;',
    'proxy_next_upstream error timeout;',
    // Longer than the edge takes to notice that the node is lost to which it has sent a request.
    'proxy_next_upstream_timeout 20s;',
    // WebSockets may say nothing for long, and nginx cannot tell them apart: ending slow requests is the app's affair.
    'proxy_read_timeout 1h;',
    'proxy_send_timeout 1h;',
    'proxy_socket_keepalive on;',
    // What an app writes is sent at once: events and answers in pieces. Requests are read to the end first, so that slow
    // clients do not hold an app, and a request can be given to another replica.
    'proxy_buffering off;',
    'proxy_buffer_size 16k;',
    'proxy_buffers 8 16k;',
    'proxy_busy_buffers_size 32k;',
    'ssl_protocols TLSv1.2 TLSv1.3;',
    'ssl_session_cache shared:fd_tls:10m;',
    'ssl_session_timeout 1h;',
    ...FORWARD_HEADERS,
    'proxy_set_header Connection $fd_connection;',
    // An answer of nginx itself; those of the apps pass as they are.
    'error_page 502 504 = @failed;',
    'recursive_error_pages on;',
  ];
}

function maps({ challenges }: EdgeState): string[] {
  const answers = challenges.map(
    ({ token, key_authorization }) =>
      `"~^/\\.well-known/acme-challenge/${literally(challengeToken(token))}\\z" ${keyAuthorization(key_authorization)};`,
  );
  return [
    // WebSockets only: other protocols that a client could change to would pass by everything that is checked here.
    ...block('map $http_upgrade $fd_upgrade', ["default '';", '~*^websocket$ websocket;']),
    ...block('map $fd_upgrade $fd_connection', ["default '';", 'websocket upgrade;']),
    ...block('map $fd_upgrade $fd_connection_once', ['default close;', 'websocket upgrade;']),
    // The host that the request was routed by, with the port that the client used.
    ...block('map $http_host $fd_host_port', ["default '';", '~(?<fd_port>:[0-9]+)$ $fd_port;']),
    // Where nobody is left to be asked nginx names the group; a request that somebody may have begun does not come so far.
    ...block('map $upstream_addr $fd_unserved', ['volatile;', 'default 0;', '"~(^|, | : )fd_[^, ]+\\z" 1;']),
    ...block('map $uri $fd_challenge', ["default '';", ...inOrder(answers)]),
  ];
}

function captainSite({ captain }: EdgeState): Site[] {
  if (captain === undefined) return [];
  return [{ hosts: [captain.host], forceHttps: false, answer: backendAnswer(true, CAPTAIN) }];
}

/** Says which configuration serves. Apps can ask it too, so it tells nothing else. */
function control(revision: string): string[] {
  return block('server', [
    `listen ${CONTROL_PORT} default_server;`,
    'server_name _;',
    'keepalive_timeout 0;',
    `location = /revision { return 200 '${revision}'; }`,
    'location / { return 404; }',
  ]);
}

/**
 * FlukeDeploy's way to the tasks, from where the edge stands: the PROXY header names the destination. It also claims to come from the
 * secret address, without which nothing is passed on.
 */
function tunnel(tunnelAddress: string): string[] {
  return block('server', [
    `listen ${TUNNEL_PORT} proxy_protocol;`,
    'set_real_ip_from 0.0.0.0/0;',
    'set_real_ip_from ::/0;',
    `allow ${tunnelAddress};`,
    'deny all;',
    'proxy_connect_timeout 1s;',
    'proxy_pass $proxy_protocol_server_addr:$proxy_protocol_server_port;',
  ]);
}

function refuseDoubles(values: readonly string[], what: string): void {
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) throw new DeployError('edge_rejected', `The ${what} ${JSON.stringify(value)} is there twice.`);
    seen.add(value);
  }
}

const block = (head: string, body: readonly string[]): string[] => [
  `${head} {`,
  ...body.map((line) => `  ${line}`),
  '}',
];

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`;
