/** The servers of the edge: what answers for which host name, in clear and encrypted. Pure text. */
import type { Backend, Traffic } from '../../domain/traffic.js';
import type { CertificateFile } from './edge-certificates.js';
import { certificateFor } from './edge-certificates.js';
import { APP_HEADER, routeVariable, SET_VISITOR_COOKIE } from './edge-canary.js';
import {
  appKey,
  hasServers,
  nameToAsk,
  upstreamName,
  type UpstreamRole,
  VERSIONS,
  versionSocket,
} from './edge-upstreams.js';
import { hostName, inOrder } from './edge-values.js';

/** What the ordinary hop tells the app of the request. Clients' own claims of where they come from are replaced. */
export const FORWARD_HEADERS = [
  'proxy_set_header Host $host$fd_host_port;',
  'proxy_set_header X-Real-IP $remote_addr;',
  'proxy_set_header X-Forwarded-For $remote_addr;',
  'proxy_set_header X-Forwarded-Host $host$fd_host_port;',
  'proxy_set_header X-Forwarded-Proto $scheme;',
  'proxy_set_header X-Request-ID $request_id;',
  "proxy_set_header Forwarded '';",
  "proxy_set_header Proxy '';",
  'proxy_set_header Upgrade $fd_upgrade;',
];

const NOTHING_SERVES = "return 503 'Nothing serves this address at the moment.\\n';";

/**
 * Where nginx's own 502 and 504 end. A request that found nobody left to ask has been seen by nobody. It starts again, because nginx
 * refuses it other replicas once their list has changed under way, as it does when a node is lost. A group that has just come into a
 * configuration has no address until DNS has answered: its first requests ask DNS themselves, and wait.
 * @param name what to ask for: `service:port`, or a variable that holds it; none where nothing is there to be found
 * @param group to start again with; none where the request is read as it is passed on
 */
function failures(name: string | undefined, group?: string): string[] {
  const unseen = "  if ($fd_unserved = 0) { return 502 'The app did not answer this request.\\n'; }";
  const again =
    group === undefined
      ? []
      : ['location @failed {', unseen, `  proxy_pass http://${group};`, '  error_page 502 504 = @unknown;', '}'];
  return [
    ...again,
    `location ${group === undefined ? '@failed' : '@unknown'} {`,
    unseen,
    ...(name === undefined
      ? [`  ${NOTHING_SERVES}`]
      : [
          `  set $fd_name '${name}';`,
          `  if ($fd_name = '') { ${NOTHING_SERVES} }`,
          '  proxy_pass http://$fd_name;',
          '  error_page 502 504 = @unserved;',
        ]),
    '}',
    `location @unserved { ${NOTHING_SERVES} }`,
  ];
}

/** The challenge of a certificate authority is answered under every name, and nothing else is at that path. */
const CHALLENGES = [
  'location ^~ /.well-known/acme-challenge/ {',
  "  if ($fd_challenge = '') { return 404; }",
  '  return 200 $fd_challenge;',
  '}',
];

/** One thing that is served under some names. */
export interface Site {
  readonly hosts: readonly string[];
  readonly forceHttps: boolean;
  /** What is in the location of all requests. */
  readonly answer: readonly string[];
  /** The group whose servers answer. */
  readonly group?: string;
  /** Asked for where the group has no address. */
  readonly name?: string | undefined;
}

export function appSites(traffic: Traffic): Site[] {
  const { canary, preview, force_https: forceHttps, hosts } = traffic;
  // A canary's second hop asks DNS itself.
  const stable = canary ? { answer: canaryAnswer(traffic) } : backendSite(traffic, 'stable', traffic.stable);
  return [
    { hosts, forceHttps, ...stable },
    ...(preview ? [{ hosts: [preview.host], forceHttps, ...backendSite(traffic, 'preview', [preview.backend]) }] : []),
  ];
}

function backendSite(
  traffic: Traffic,
  role: UpstreamRole,
  backends: readonly Backend[],
): Omit<Site, 'hosts' | 'forceHttps'> {
  const group = upstreamName(traffic, role);
  if (!hasServers(backends)) return { answer: backendAnswer(false, group) };
  return { answer: backendAnswer(true, group), group, name: nameToAsk(backends) };
}

export function backendAnswer(served: boolean, upstream: string): string[] {
  return served ? [`proxy_pass http://${upstream};`] : [NOTHING_SERVES];
}

/** To the second hop on a fresh connection each time, and never a second time: it tries other replicas itself. */
function canaryAnswer(traffic: Traffic): string[] {
  return [
    `proxy_pass http://${routeVariable(traffic)};`,
    'proxy_next_upstream off;',
    ...FORWARD_HEADERS,
    'proxy_set_header Connection $fd_connection_once;',
    `proxy_set_header ${APP_HEADER} ${appKey(traffic)};`,
    ...(traffic.canary?.stickiness === 'cookie' ? [`add_header Set-Cookie ${SET_VISITOR_COOKIE} always;`] : []),
  ];
}

export interface ServerOptions {
  readonly certificates: readonly CertificateFile[];
  /** The port under which clients reach the encrypted side. */
  readonly httpsPort: number;
}

/** @throws DeployError `edge_rejected` when a host name is none */
export function siteServers(site: Site, { certificates, httpsPort }: ServerOptions): string[] {
  const groups = new Map<string | undefined, string[]>();
  for (const host of inOrder(site.hosts.map(hostName))) {
    const file = certificateFor(host, certificates)?.file;
    groups.set(file, [...(groups.get(file) ?? []), host]);
  }
  const encrypted = inOrder([...groups.keys()].filter((file) => file !== undefined));
  const redirected = site.forceHttps ? inOrder(encrypted.flatMap((file) => groups.get(file) ?? [])) : [];
  const plain = inOrder([...groups.values()].flat().filter((host) => !redirected.includes(host)));
  return [
    ...(plain.length > 0 ? server(['listen 80;'], plain, [...CHALLENGES, ...everything(site)]) : []),
    ...(redirected.length > 0 ? server(['listen 80;'], redirected, [...CHALLENGES, ...redirect(httpsPort)]) : []),
    ...encrypted.flatMap((file) =>
      server(
        ['listen 443 ssl;', 'http2 on;', `ssl_certificate ${file};`, `ssl_certificate_key ${file};`],
        groups.get(file) ?? [],
        everything(site),
      ),
    ),
  ];
}

/** 308 keeps method and body, which 301 does not. */
function redirect(httpsPort: number): string[] {
  const port = httpsPort === 443 ? '' : `:${httpsPort}`;
  return [`location / { return 308 https://$host${port}$request_uri; }`];
}

function everything({ answer, group, name }: Site): string[] {
  return ['location / {', ...answer.map((line) => `  ${line}`), '}', ...failures(name, group)];
}

function server(listen: readonly string[], hosts: readonly string[], body: readonly string[]): string[] {
  return ['server {', ...[...listen, `server_name ${hosts.join(' ')};`, ...body].map((line) => `  ${line}`), '}'];
}

/** For names that nobody has: nothing, and no certificate that tells of other names. */
export function unknownHosts(): string[] {
  return [
    'server {',
    '  listen 80 default_server;',
    '  server_name _;',
    ...CHALLENGES.map((line) => `  ${line}`),
    "  location / { return 404 'No app has this address.\\n'; }",
    '}',
    'server {',
    '  listen 443 ssl default_server;',
    '  server_name _;',
    '  ssl_reject_handshake on;',
    '  return 421;',
    '}',
  ];
}

/** The second hop. What the first one has set is passed on as it came. */
export function versionServers(): string[] {
  return VERSIONS.flatMap((version) => [
    'server {',
    ...[
      `listen ${versionSocket(version)};`,
      'client_max_body_size 0;',
      `access_log /dev/stdout fd_${version} if=$fd_recorded;`,
      'proxy_set_header Host $http_host;',
      'proxy_set_header Upgrade $fd_upgrade;',
      'proxy_set_header Connection $fd_connection;',
      `proxy_set_header ${APP_HEADER} '';`,
      'location / {',
      `  if ($fd_${version} = '') { ${NOTHING_SERVES} }`,
      `  proxy_pass http://$fd_${version};`,
      '}',
      ...failures(`$fd_${version}_name`),
    ].map((line) => `  ${line}`),
    '}',
  ]);
}
