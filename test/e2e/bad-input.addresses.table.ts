/** Addresses, queries, methods and credentials that must be refused. */
import type { ErrorCode } from '../../src/domain/errors.js';
import { APP, type BadRequest, brief, DEPLOY } from './bad-input.row.js';

const ONE = '/api/v1/deployments/dep-none';

const get = (path: string, status: number, code: ErrorCode, ...at: string[]): BadRequest => ({
  name: path.length > 80 ? `${path.slice(0, 80)}…` : path,
  path,
  status,
  code,
  ...(at.length > 0 && { at }),
});
const badField = (path: string, field: string) => get(path, 400, 'invalid_field', field);

/** A parameter of an address with the texts that it must refuse. */
const queries = (path: string, name: string, texts: readonly string[]) =>
  texts.map((text) => badField(`${path}?${name}=${text}`, name));

const NO_NUMBER = [
  '',
  'x',
  'NaN',
  'Infinity',
  '1e3',
  '0x10',
  '1.5',
  '%201',
  '%2B1',
  '1%00',
  '-1',
  '1;id',
  '9'.repeat(30),
  '1&PARAM=2',
];
const numbers = (path: string, name: string, most: number, least = 1) =>
  queries(path, name, [...NO_NUMBER.map((text) => text.replace('PARAM', name)), String(most + 1), String(least - 1)]);
/** ISO 8601 knows more than databases read. */
const NO_TIME = [
  '',
  'yesterday',
  '2026',
  '2026-02',
  '2026-02-30',
  '2026-W05-2',
  '2026-034',
  '20260203',
  '0000-01-01',
  '2026-02-03T10',
  '2026-02-03T25:00',
  '9999-12-31T23:59:59-23:59',
  '%2B002026-02-03',
  '2026-02-03%00',
];
const NO_WORD = ['', 'x', 'INFO', 'info;id', 'info%00', '$(id)', '__proto__'];
/** Of the form of a name or id, or a number of bytes too long, or not of this world. */
const NO_NAME = [
  '%2e%2e',
  '..%2f..',
  'a%2fb',
  'a%00',
  'a%0a',
  'a;id',
  '$(id)',
  '`id`',
  'a|b',
  "a'",
  'a%22',
  '%F0%9F%98%80',
  'a%20b',
  'a%5c',
];

const HISTORY = (name: string) => `/api/v1/apps/${name}/deployments`;

const asked = (method: string, path: string, status: number, code: ErrorCode): BadRequest => ({
  name: `${method} ${path}`,
  method,
  path,
  status,
  code,
});
const methods = (path: string, ...names: string[]) => names.map((name) => asked(name, path, 405, 'method_not_allowed'));

const as = (asker: BadRequest['as'] & string, row: BadRequest, status: number, code: ErrorCode): BadRequest => {
  const { at: _, ...rest } = row;
  return { ...rest, name: `${asker}: ${row.name}`, as: asker, status, code };
};
const credentials = (headers: Readonly<Record<string, string>>): BadRequest => ({
  ...get('/api/v1/me', 401, 'unauthenticated'),
  name: brief(headers),
  as: 'nobody',
  headers,
});
const deploy = (body: object): BadRequest => ({
  ...asked('POST', DEPLOY, 403, 'forbidden'),
  body: { app_name: APP, image: 'busybox:1', ...body },
});

export const ADDRESSES: readonly BadRequest[] = [
  ...NO_NAME.map((id) => badField(`/api/v1/deployments/${id}`, 'id')),
  ...NO_NAME.map((id) => badField(`/api/v1/deployments/${id}/logs`, 'id')),
  badField(`/api/v1/deployments/${'a'.repeat(65)}`, 'id'),
  { ...badField('/api/v1/deployments/a%00/cancel', 'id'), method: 'POST', body: {} },
  ...[...NO_NAME, 'UPPER', 'a--b', '-a', 'a-', 'a_b', 'a'.repeat(51)].map((name) => badField(HISTORY(name), 'name')),
  { ...badField('/api/v1/tokens/a%00', 'id'), method: 'DELETE' },
  asked('DELETE', '/api/v1/tokens/..%2f..', 404, 'token_not_found'),
  get(ONE, 404, 'deployment_not_found'),
  get(`${ONE}/logs`, 404, 'deployment_not_found'),
  get(`${ONE}?wait_seconds=60`, 404, 'deployment_not_found'),
  asked('POST', `${ONE}/cancel`, 404, 'deployment_not_found'),
  get(HISTORY('fdbad-nobody'), 404, 'app_not_found'),
  ...[
    '/',
    '/nowhere',
    '/api',
    '/api/v1',
    '/api/v1/deployment',
    '/.env',
    '/.git/config',
    '/%',
    '/%ff',
    '/api/v1/deployments/%',
  ].map((path) => get(path, 404, 'not_found')),
  ...[
    '/../../etc/passwd',
    '/api/v1/deployments/../../../etc/passwd',
    '/%2e%2e/%2e%2e/etc/passwd',
    '//api/v1/me',
    '/api//v1/me',
  ].map((path) => get(path, 404, 'not_found')),
  ...['..%2f..%2fpackage.json', '../../package.json', '%00', '%2e%2e/%2e%2e/package.json', 'nothing.js'].map((path) =>
    get(`/api/docs/${path}`, 404, 'not_found'),
  ),
  ...['nothing', '__proto__', 'constructor', '..%2f'].map((code) => get(`/problems/${code}`, 404, 'not_found')),
  badField('/problems/%00', 'code'),

  ...['/api/v1/logs', `${ONE}/logs`].flatMap((path) => numbers(path, 'limit', 10_000)),
  ...['/api/v1/deployments', HISTORY('a')].flatMap((path) => numbers(path, 'limit', 1_000)),
  ...['/api/v1/logs', '/api/v1/deployments', HISTORY('a')].flatMap((path) => numbers(path, 'offset', 100_000, 0)),
  ...[ONE, `${ONE}/logs`].flatMap((path) => numbers(path, 'wait_seconds', 60, 0)),
  ...numbers('/api/v1/logs', 'since_minutes', 5_256_000),
  ...['/api/v1/logs', `${ONE}/logs`].flatMap((path) => queries(path, 'level', [...NO_WORD, 'info&level=info'])),
  ...queries('/api/v1/logs', 'event_type', [...NO_WORD, 'BUILD_START', 'build_start&event_type=build_start']),
  ...queries(`${ONE}/logs`, 'phase', [...NO_WORD, 'build&phase=build']),
  ...['since', 'until'].flatMap((name) => queries('/api/v1/audit', name, NO_TIME)),
  ...NO_TIME.map((since) => ({
    ...asked('POST', '/api/v1/flukebase/backfill', 400, 'invalid_field'),
    name: `backfill since ${since}`,
    body: { since: decodeURIComponent(since) },
    at: ['since'],
  })),
  ...queries('/api/v1/logs', 'app_name', ['', 'UPPER', 'a_b', ...NO_NAME, 'a&app_name=b']),
  ...queries('/api/v1/logs', 'deployment_id', ['', 'a'.repeat(65), ...NO_NAME, 'a&deployment_id=b']),
  ...queries(HISTORY('a'), 'environment', ['', 'UPPER', 'a--b', ...NO_NAME]),
  ...['/api/v1/logs'].flatMap((path) =>
    queries(path, 'cursor', ['x'.repeat(101), 'a&cursor=b', '%00', '%ED%A0%80%00']),
  ),
  ...['x', 'a.b.c', '..%2f', '-1', "a.1'", 'A.1', `a.${'z'.repeat(12)}`].map((cursor) =>
    get(`/api/v1/logs?cursor=${cursor}`, 400, 'cursor_invalid'),
  ),
  ...['x', 'limit[]', 'limit[$gt]', '__proto__', 'constructor', 'level[__proto__]', ''].map((name) =>
    get(`/api/v1/logs?${encodeURIComponent(name)}=1`, 400, 'unknown_field', name),
  ),
  get(`/api/v1/logs?${'x=1&'.repeat(3_000)}`, 400, 'unknown_field', 'x'),

  ...methods(DEPLOY, 'GET', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'TRACE', 'PROPFIND'),
  ...methods('/api/v1/deployments', 'POST', 'DELETE'),
  ...methods(ONE, 'POST', 'PUT', 'PATCH', 'DELETE'),
  ...methods(`${ONE}/cancel`, 'GET', 'PUT', 'DELETE'),
  ...methods('/api/v1/logs', 'POST', 'DELETE'),
  ...methods('/api/v1/session', 'GET', 'PUT'),
  ...methods('/health/live', 'POST', 'DELETE', 'OPTIONS'),
  ...['HEAD', 'OPTIONS', 'POST', 'DELETE', 'TRACE'].map((method) => asked(method, '/nowhere', 404, 'not_found')),
  asked('HEAD', ONE, 404, 'deployment_not_found'),

  credentials({}),
  ...[
    '',
    'Bearer',
    'Bearer x',
    'Bearer a b',
    'Basic YWRtaW46eA==',
    'bearer null',
    "Bearer ' or 1=1 --",
    'Bearer é',
  ].map((authorization) => credentials({ authorization })),
  credentials({ authorization: `Bearer ${'x'.repeat(43)}` }),
  credentials({ authorization: `Bearer fd_0123456789ab_${'x'.repeat(43)}_00000000` }),
  credentials({ authorization: `Bearer ${'x'.repeat(10_000)}` }),
  credentials({ 'x-captain-auth': 'x'.repeat(43) }),
  credentials({ 'x-captain-auth': '' }),
  credentials({ cookie: 'token=x' }),
  ...[
    '/api/v1/me?token=x',
    '/api/v1/logs',
    '/api/v1/deployments',
    `${ONE}/logs`,
    '/api/v1/tokens',
    '/api/v1/deployments/stats',
  ].map((path) => ({ ...get(path, 401, 'unauthenticated'), as: 'nobody' }) as const),
  ...(['nobody', 'expired', 'revoked'] as const).map((asker) => as(asker, deploy({}), 401, 'unauthenticated')),
  ...(['expired', 'revoked'] as const).map((asker) =>
    as(asker, get('/api/v1/me', 401, 'unauthenticated'), 401, 'unauthenticated'),
  ),
  as('reader', deploy({}), 403, 'forbidden'),
  as('reader', asked('POST', `${ONE}/cancel`, 403, 'forbidden'), 403, 'forbidden'),
  ...['/api/v1/tokens', ONE, '/api/v1/logs'].map((path) =>
    as('deployer', get(path, 403, 'forbidden'), 403, 'forbidden'),
  ),
  as('deployer', deploy({ volumes: [{ source: '/srv/data', target: '/data' }] }), 403, 'forbidden'),
  as('restricted', deploy({}), 404, 'app_not_found'),
  as('restricted', get(HISTORY('fdbad-nobody'), 404, 'app_not_found'), 404, 'app_not_found'),
];
