/** Every field of the deploy body but the source: wrong types, out of range, hostile texts. */
import { errorRow, type ErrorCode } from '../../src/domain/errors.js';
import { APP, type BadRequest, brief, DEPLOY, withValue } from './bad-input.row.js';

/** A body in which every field is right, so that the one that is changed is the only one to blame. */
const WHOLE = {
  app_name: APP,
  image: 'busybox:1',
  version: '1.0',
  environment: 'staging',
  project: 'shop',
  replicas: 1,
  env: { NAME: 'value' },
  ports: [{ container_port: 80, host_port: 8080, protocol: 'tcp' }],
  volumes: [{ source: 'data', target: '/data', read_only: false }],
  resources: { cpu_limit: 1, memory_limit_mb: 64, cpu_reservation: 0.5, memory_reservation_mb: 32 },
  command: ['sleep', '1'],
  port: 80,
  domains: ['app.example.com'],
  strategy: { type: 'rolling' },
  health_check: {
    path: '/',
    port: 80,
    interval_ms: 1_000,
    timeout_ms: 1_000,
    healthy_threshold: 1,
    deadline_ms: 1_000,
    bake_ms: 0,
  },
  validation_level: 'basic',
  auto_rollback: true,
  plugins: [{ name: 'nobody-has-it', options: {} }],
  timeout_seconds: 60,
  on_conflict: 'queue',
  reason: 'a test',
  wedo_task_id: 'WT-1',
};

const NO_TEXT: readonly unknown[] = [null, 1, true, [], {}, ['x']];
const NO_NUMBER: readonly unknown[] = [null, '1', true, [], {}, [1], 'NaN', '1e3'];
const NO_INTEGER: readonly unknown[] = [...NO_NUMBER, 1.5];
const NO_BOOLEAN: readonly unknown[] = [null, 'true', 1, 0, [], {}];
const NO_OBJECT: readonly unknown[] = [null, 'x', 1, true, []];
const NO_LIST: readonly unknown[] = [null, 'x', 1, true];

/** What a shell, a path, a header or a log would be fooled by. */
const HOSTILE = [
  ...Array.from(';$()|&`\n\r\t\'"\\<>*?!#%^~{}[]= '),
  '\0',
  '\ud800',
  '\u001b[31m',
  'é',
  '日本',
  '😀',
  '\u202e',
  '/../../etc/passwd',
  '$(id)',
  '`id`',
  ';rm -rf /',
];
const hostile = (good: string, except = ''): string[] =>
  HOSTILE.filter((text) => !except.includes(text)).map((text) => good + text);
const NO_NAME = [...NO_TEXT, '', 'Upper', 'a--b', '-a', 'a-', 'a_b', 'a.b', '../a', '/a', '--help', ...hostile('web')];
const NO_WORD = [...NO_TEXT, '', '-rf', '../x', ...hostile('x')];

const outside = (least: number, most: number) => [least - 1, -1e9, most + 1, 1e308];

/** Each field with the values that it must refuse. */
const WRONG: readonly (readonly [path: string, values: readonly unknown[]])[] = [
  ['app_name', [undefined, ...NO_NAME, 'a'.repeat(51), 'a'.repeat(900_000)]],
  ['image', [...NO_WORD, 'UPPER/Case:1', 'a:b:c', 'busybox@sha256:short', 'http://x/y', 'a'.repeat(300), 'busybox:-x']],
  ['version', [...NO_WORD, 'v'.repeat(129), 'a/b', '.x']],
  ['environment', [...NO_NAME, 'e'.repeat(31)]],
  ['project', [...NO_NAME, 'p'.repeat(31)]],
  ['replicas', [...NO_INTEGER, ...outside(0, 100)]],
  ['env', [...NO_OBJECT, { NAME: 1 }, { NAME: null }, { NAME: ['x'] }, { '': 'x' }, { '1A': 'x' }, { 'A-B': 'x' }]],
  ['env', ['A;B', 'A=B', '$(id)', 'A B', 'A\nB', 'É', '-A', '../A', 'A'.repeat(201)].map((name) => ({ [name]: 'x' }))],
  ['env', [{ NAME: 'x'.repeat(32_769) }, Object.fromEntries(Array.from({ length: 501 }, (_, n) => [`A${n}`, 'x']))]],
  ['ports', [...NO_LIST, [[]], Array(51).fill(WHOLE.ports[0])]],
  ['ports.0.container_port', [undefined, ...NO_INTEGER, ...outside(1, 65_535)]],
  ['ports.0.host_port', [undefined, ...NO_INTEGER, ...outside(1, 65_535)]],
  ['ports.0.protocol', [...NO_TEXT, '', 'sctp', 'TCP', 'tcp;id']],
  ['volumes', [...NO_LIST, [[]], Array(51).fill(WHOLE.volumes[0])]],
  [
    'volumes.0.source',
    [undefined, ...NO_WORD, 'a/b', '/', '/..', '/a/../etc', '/./a', '/a//b', '/a:b', 'v'.repeat(64)],
  ],
  [
    'volumes.0.target',
    [undefined, ...NO_TEXT, '', 'data', '../data', '/', '/data/..', '/./x', ...hostile('/data', ' ')],
  ],
  ['volumes.0.read_only', NO_BOOLEAN],
  ['resources', NO_OBJECT],
  ['resources.cpu_limit', [...NO_NUMBER, ...outside(0.01, 1_024), 0]],
  ['resources.cpu_reservation', [...NO_NUMBER, ...outside(0.01, 1_024), 0]],
  ['resources.memory_limit_mb', [...NO_INTEGER, ...outside(6, 16_777_216)]],
  ['resources.memory_reservation_mb', [...NO_INTEGER, ...outside(1, 16_777_216)]],
  ['command', [...NO_LIST, [1], [null], [['x']], ['x'.repeat(4_001)], Array(101).fill('x')]],
  ['port', [...NO_INTEGER, ...outside(0, 65_535)]],
  ['domains', [...NO_LIST, [1], [null], ['localhost'], ['a.b.'], ['-a.example.com'], ['A.example.com'], ['1.2.3.44']]],
  ['domains', [['a..example.com'], ['*.example.com'], [`${'a'.repeat(64)}.example.com`], ['a.'.repeat(200_000)]]],
  ['domains', hostile('a.example.com', '\0\ud800').map((name) => [name])],
  ['strategy', [null, 1, true, [], '', 'ROLLING', 'rolling;id']],
  ['strategy.type', [undefined, 'x', ['rolling'], ...hostile('rolling')]],
  ['health_check', NO_OBJECT],
  [
    'health_check.path',
    [...NO_TEXT, '', 'x', 'http://evil.example/', '/a b', '/a\r\nHost: x', '/é', `/${'x'.repeat(500)}`],
  ],
  ['health_check.port', [...NO_INTEGER, ...outside(1, 65_535)]],
  ['health_check.interval_ms', [...NO_INTEGER, ...outside(100, 60_000)]],
  ['health_check.timeout_ms', [...NO_INTEGER, ...outside(100, 60_000)]],
  ['health_check.healthy_threshold', [...NO_INTEGER, ...outside(1, 100)]],
  ['health_check.deadline_ms', [...NO_INTEGER, ...outside(1_000, 3_600_000)]],
  ['health_check.bake_ms', [...NO_INTEGER, ...outside(0, 3_600_000)]],
  ['validation_level', [...NO_TEXT, '', 'BASIC', 'none;id']],
  ['auto_rollback', NO_BOOLEAN],
  ['force_https', NO_BOOLEAN],
  ['on_first_failure', [...NO_TEXT, '', 'Keep']],
  ['plugins', [...NO_LIST, [[]], Array(51).fill(WHOLE.plugins[0])]],
  ['plugins.0.name', [undefined, ...NO_NAME]],
  ['plugins.0.options', NO_OBJECT],
  ['timeout_seconds', [...NO_INTEGER, ...outside(10, 86_400)]],
  ['on_conflict', [...NO_TEXT, '', 'Queue', 'queue;id']],
  ['reason', [...NO_TEXT, 'r'.repeat(501), 'a\0b', 'a\ud800b']],
  ['wedo_task_id', [...NO_TEXT, '', 'w'.repeat(201), '../x', ...hostile('WT-1')]],
];

const refusals = WRONG.flatMap(([path, values]) =>
  values.map((value): BadRequest => {
    const name = `${path}: ${brief(value)}`;
    return { name, path: DEPLOY, body: withValue(WHOLE, path, value), status: 400, code: 'invalid_field', at: [path] };
  }),
);

const unknown = (path: string, value: unknown = 1): BadRequest => ({
  name: `unknown field ${path}`,
  path: DEPLOY,
  body: withValue(WHOLE, path, value),
  status: 400,
  code: 'unknown_field',
  at: [path],
});

/** Right in form, so that only the whole tells what is wrong with it. */
const refused = (name: string, changes: object, code: ErrorCode, ...at: string[]): BadRequest => {
  const status = errorRow(code).http ?? 500;
  return { name, path: DEPLOY, body: { ...WHOLE, plugins: [], ...changes }, status, code, at };
};

const [volume] = WHOLE.volumes;
const [port] = WHOLE.ports;
const HOST_FOLDERS = [
  '/etc',
  '/proc/1',
  '/root/.ssh',
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/dev/sda',
  '/boot',
  '/var',
  '/var/lib',
];

export const FIELDS: readonly BadRequest[] = [
  ...refusals,
  ...['x', 'App_name', 'replica', 'env_vars', 'ports.0.x', 'volumes.0.driver', 'resources.gpu'].map((path) =>
    unknown(path),
  ),
  ...['health_check.url', 'plugins.0.version', 'then', 'toJSON', ''].map((path) => unknown(path)),
  // Names that every object has.
  ...['constructor', 'toString', 'hasOwnProperty', '__defineGetter__'].map((path) => unknown(path, { x: 1 })),
  ...['env.constructor', 'ports.0.valueOf', 'plugins.0.options.constructor'].map((path) => unknown(path, 'x')),
  refused('env: NUL', { env: { NAME: 'a\0b' } }, 'invalid_field', 'env.NAME'),
  refused('domains: half a pair', { domains: ['\ud800'] }, 'invalid_field', 'domains.0'),
  refused('ports: [null]', { ports: [null] }, 'invalid_field', 'ports', 'ports.0'),
  refused('ports: {}', { ports: {} }, 'invalid_field', 'ports', 'ports.container_port', 'ports.host_port'),
  refused('volumes: {}', { volumes: {} }, 'invalid_field', 'volumes', 'volumes.source', 'volumes.target'),
  refused('plugins: {}', { plugins: {} }, 'invalid_field', 'plugins', 'plugins.name'),
  refused('command: {}', { command: {} }, 'invalid_field', 'command'),
  refused('domains: {}', { domains: {} }, 'invalid_field', 'domains'),
  refused('two fields', { replicas: -1, x: 1 }, 'invalid_field', 'x', 'replicas'),
  refused('a host port twice', { ports: [port, port] }, 'invalid_field', 'ports.1.host_port'),
  refused('a target twice', { volumes: [volume, volume] }, 'invalid_field', 'volumes.1.target'),
  refused(
    'together too long',
    { app_name: 'a'.repeat(50), environment: 'e'.repeat(30) },
    'invalid_field',
    'environment',
  ),
  refused(
    'a strategy without room',
    { strategy: { type: 'rolling', max_surge: 0, max_unavailable: 0 } },
    'invalid_field',
    'strategy.max_surge',
  ),
  refused(
    'a parameter of no strategy',
    { strategy: { type: 'canary', percent: 5 } },
    'unknown_field',
    'strategy.percent',
  ),
  refused(
    'steps that go back',
    { strategy: { type: 'canary', steps: [{ set_weight: 50 }, { set_weight: 10 }] } },
    'invalid_field',
    'strategy.steps.1.set_weight',
  ),
  refused('a host name of FlukeDeploy itself', { domains: ['captain.apps.test'] }, 'domain_taken', 'domains.0'),
  refused(
    'a preview at a host name of FlukeDeploy itself',
    { strategy: { type: 'blue_green', preview_host: 'captain.apps.test' } },
    'domain_taken',
    'strategy.preview_host',
  ),
  refused(
    'a preview at the own host name of the app',
    { environment: 'production', strategy: { type: 'blue_green', preview_host: `${APP}.apps.test` } },
    'strategy_unsupported',
    'strategy.preview_host',
  ),
  refused(
    'a preview at a domain of the app',
    { domains: ['app.example.com'], strategy: { type: 'blue_green', preview_host: 'app.example.com' } },
    'strategy_unsupported',
    'strategy.preview_host',
  ),
  refused('an unknown plugin', { plugins: WHOLE.plugins }, 'plugin_unknown', 'plugins.0.name'),
  ...HOST_FOLDERS.map((source) =>
    refused(`volume of ${source}`, { volumes: [{ source, target: '/x' }] }, 'invalid_field', 'volumes.0.source'),
  ),
];
