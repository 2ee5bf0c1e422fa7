/** The environment as one typed, frozen Config: one table of variables, every mistake reported at once. */
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { LIMITS } from './domain/limits.js';

const ROLES = ['all', 'api', 'worker'] as const;

interface Variable<Value> {
  readonly about: string;
  readonly fallback?: string;
  /** @throws Error whose message says what is allowed */
  readonly read: (text: string) => Value;
}

/** Every variable FlukeDeploy reads; a variable without fallback may be absent. */
export const VARIABLES = {
  FLUKEDEPLOY_ROLE: variable(
    'all (default), or api or worker, which share REDIS_URL and DATABASE_URL',
    oneOf(ROLES),
    'all',
  ),
  HOST: variable('address the REST API listens on', text, '0.0.0.0'),
  PORT: variable('port of the REST API; 0 takes a free one', integer(0, 65_535), '3000'),
  WS_HOST: variable('address of the log stream; anything but loopback requires a token', text, '127.0.0.1'),
  WS_PORT: variable('port of the log stream; 0 takes a free one', integer(0, 65_535), '8767'),
  DATA_DIR: variable('folder of everything FlukeDeploy keeps on disk', (path) => resolve(path), './data'),
  DATABASE_URL: variable('PostgreSQL 14 or later; absent = a private one in DATA_DIR', url('postgres:', 'postgresql:')),
  REDIS_URL: variable('Redis 6.2 or later; absent = a private one in DATA_DIR', url('redis:', 'rediss:', 'unix:')),
  DOCKER_HOST: variable('Docker Engine of a Swarm manager', url('unix:', 'tcp:'), 'unix:///var/run/docker.sock'),
  REGISTRY_URL: variable(
    'registry that built images are pushed to: https://user:password@host/prefix',
    url('http:', 'https:'),
  ),
  HTTP_PORT: variable(
    'port of the edge for HTTP; 0 = no edge is run, and HTTPS_PORT says nothing',
    integer(0, 65_535),
    '80',
  ),
  HTTPS_PORT: variable('port of the edge for HTTPS', integer(1, 65_535), '443'),
  ROOT_DOMAIN: variable('apps answer at <app>.ROOT_DOMAIN, FlukeDeploy itself at captain.ROOT_DOMAIN', domain),
  EDGE_IMAGE: variable(
    'image of the edge: nginx 1.27.4 or later, with its stream module; absent = the official one',
    text,
  ),
  EDGE_NAME: variable("name of the edge's service, network and volume", dockerName, 'flukedeploy-edge'),
  EDGE_DRAIN_SECONDS: variable(
    "so long WebSockets and requests of all apps go on after a change of the edge's configuration",
    integer(10, 86_400),
    '3600',
  ),
  EDGE_API_UPSTREAM: variable(
    'host:port at which the edge reaches this API; absent = this machine, as the edge sees it',
    text,
  ),
  RELEASES_KEPT: variable('releases of each app whose images are kept', integer(1, 1_000), '10'),
  TRIVY_PATH: variable(
    'program that scans images for vulnerabilities; absent = trivy in the usual folders, else its official image',
    (path) => resolve(path),
  ),
  GIT_ALLOWED_HOSTS: variable(
    'git hosts with private addresses that may be deployed from, separated by commas',
    list,
    '',
  ),
  NOTIFY_ALLOWED_HOSTS: variable(
    'hosts with private addresses or without TLS that notify may send to, separated by commas',
    list,
    '',
  ),
  ACME_DIRECTORY_URL: variable(
    'directory of the authority that signs certificates (RFC 8555)',
    url('https:'),
    'https://acme-v02.api.letsencrypt.org/directory',
  ),
  ACME_EMAIL: variable(
    'e-mail address for the authority: setting it agrees to its terms; absent = no certificates are ordered',
    email,
  ),
  ACME_CA_FILE: variable('PEM file of what a private authority’s own HTTPS is signed by', (path) => resolve(path)),
  FLUKEBASE_API_URL: variable('where FlukeBase is told of deployments', url('https:'), 'https://flukebase.me/api/v1'),
  FLUKEBASE_API_TOKEN: variable('token for FlukeBase; absent = nothing is sent to it, and nothing kept for it', token),
  FLUKEBASE_CA_FILE: variable('PEM file of what a private FlukeBase’s HTTPS is signed by', (path) => resolve(path)),
  FLUKEDEPLOY_ADMIN_PASSWORD: variable('admin password; absent = one is made at the first start', atLeast(8)),
  FLUKEDEPLOY_SECRET_KEY: variable('32 bytes in base64 that encrypt secrets at rest; absent = made in DATA_DIR', key),
  FLUKEDEPLOY_PLUGIN_CONFIG: variable(
    'JSON file with the plugins that are on for every app, and with secrets for them',
    (path) => resolve(path),
  ),
  FLUKEDEPLOY_CONCURRENCY: variable('phases that one worker runs at the same time', integer(1, 64), '4'),
  FLUKEDEPLOY_PLUGINS: variable(
    'plugins of others: folders, files or npm packages (from here or DATA_DIR/plugins), separated by commas',
    list,
    '',
  ),
  FLUKEDEPLOY_INSTANCE: variable('name of this process in log entries', text, `${hostname()}/${process.pid}`),
  FLUKEDEPLOY_LEASE_SECONDS: variable(
    'after this long without a sign of life a worker has lost its phase',
    integer(1, 300),
    '10',
  ),
  MCP_CONFORMANCE_FIXTURES: variable(
    '1 = /mcp also has the tools that the conformance suite of MCP calls; refused where NODE_ENV is production',
    oneOf(['0', '1']),
    '0',
  ),
  LOG_RETENTION_DAYS: variable('entries older than this are deleted', integer(1, 3_650), '90'),
  UPLOAD_LIMIT_MB: variable('largest source archive', integer(1, 65_536), String(LIMITS.upload_megabytes)),
} as const satisfies Record<string, Variable<unknown>>;

type Variables = typeof VARIABLES;
type ValueOf<Entry> = Entry extends { fallback: string; read: (text: string) => infer Value }
  ? Value
  : Entry extends { read: (text: string) => infer Value }
    ? Value | undefined
    : never;
export type Config = { readonly [Name in keyof Variables]: ValueOf<Variables[Name]> };

/** @throws Error that names every wrong variable */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const values: Record<string, unknown> = {};
  const mistakes: string[] = [];
  for (const [name, { read, fallback }] of Object.entries<Variable<unknown>>(VARIABLES)) {
    const given = environment[name] || fallback;
    try {
      values[name] = given === undefined ? undefined : read(given);
    } catch (error) {
      mistakes.push(`${name}: ${(error as Error).message}`);
    }
  }
  if (values['MCP_CONFORMANCE_FIXTURES'] === '1' && environment['NODE_ENV'] === 'production') {
    mistakes.push('MCP_CONFORMANCE_FIXTURES: not where NODE_ENV is production: its tools are for tests only');
  }
  if (values['FLUKEDEPLOY_ROLE'] !== 'all') {
    for (const name of ['DATABASE_URL', 'REDIS_URL', 'FLUKEDEPLOY_SECRET_KEY']) {
      if (values[name] === undefined && !mistakes.some((mistake) => mistake.startsWith(`${name}:`))) {
        mistakes.push(`${name}: needed by the role ${String(values['FLUKEDEPLOY_ROLE'])}: processes share it`);
      }
    }
  }
  if (mistakes.length > 0) throw new Error(`The environment has mistakes:\n  ${mistakes.join('\n  ')}`);
  return Object.freeze(values as unknown as Config);
}

function variable<Value>(
  about: string,
  read: (text: string) => Value,
): { about: string; read: (text: string) => Value };
function variable<Value>(
  about: string,
  read: (text: string) => Value,
  fallback: string,
): { about: string; read: (text: string) => Value; fallback: string };
function variable<Value>(about: string, read: (text: string) => Value, fallback?: string): Variable<Value> {
  return { about, read, ...(fallback !== undefined && { fallback }) };
}

function text(value: string): string {
  return value;
}

function domain(value: string): string {
  if (!/^(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value))
    throw new Error(`must be a domain in lower case, such as apps.example.com, not "${value}"`);
  return value;
}

function dockerName(value: string): string {
  if (!/^[a-z0-9][a-z0-9-]{0,40}$/.test(value))
    throw new Error(`must be lower case letters, digits and dashes, not "${value}"`);
  return value;
}

function list(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean);
}

function integer(min: number, max: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max)
      throw new Error(`must be a whole number from ${min} to ${max}, not "${value}"`);
    return number;
  };
}

function oneOf<const Choice extends string>(choices: readonly Choice[]): (value: string) => Choice {
  return (value) => {
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw new Error(`must be one of ${choices.join(', ')}, not "${value}"`);
    return choice;
  };
}

/** The value is never repeated in the message: it may hold a password. */
function url(...protocols: string[]): (value: string) => string {
  return (value) => {
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
      throw new Error(`must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`);
    }
    return value;
  };
}

function email(value: string): string {
  if (!/^[^\s@,;<>"]+@[^\s@,;<>"]+$/.test(value)) throw new Error('must be an e-mail address');
  return value;
}

/** It goes into a header, where a line break would be another header. */
function token(value: string): string {
  if (!/^[\x21-\x7e]{1,1000}$/.test(value)) throw new Error('must be printable ASCII without spaces');
  return value;
}

function atLeast(length: number): (value: string) => string {
  return (value) => {
    if (value.length < length) throw new Error(`must have at least ${length} characters`);
    return value;
  };
}

function key(value: string): string {
  if (Buffer.from(value, 'base64').length !== 32)
    throw new Error('must be 32 bytes in base64, as `openssl rand -base64 32` makes them');
  return value;
}
