/** Bodies that are wrong as a whole, whatever fields they hold, and small bodies of other routes. */
import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../src/domain/errors.js';
import { APP, type BadRequest, brief, DEPLOY } from './bad-input.row.js';

const MEGABYTE = 1024 * 1024;
const JSON_TYPE = { 'content-type': 'application/json' };
const SESSION = '/api/v1/session';
const TOKENS = '/api/v1/tokens';

const text = (name: string, body: string | Buffer, code: ErrorCode, ...at: string[]): BadRequest => {
  const row = { name, path: DEPLOY, headers: JSON_TYPE, body, status: 400, code };
  return at.length > 0 ? { ...row, at } : row;
};

const typed = (
  type: string,
  body: string | Buffer = '{}',
  headers: Readonly<Record<string, string>> = {},
): BadRequest => ({
  name: `${type} ${JSON.stringify(headers)}`,
  path: DEPLOY,
  headers: { ...(type === '' ? {} : { 'content-type': type }), ...headers },
  body,
  status: 415,
  code: 'unsupported_media_type',
});

const nested = (open: string, close: string, levels = 10_000) => open.repeat(levels) + close.repeat(levels);
/** The place where the depth ends that is still looked at. */
const down = (start: string, name: string) => `${start}${`.${name}`.repeat(32 - start.split('.').length)}`;
const WEB = `"app_name":"${APP}","image":"busybox:1"`;

const fieldOf = (path: string, body: object, ...at: string[]): BadRequest => ({
  name: `${path} ${brief(body)}`,
  path,
  body,
  status: 400,
  code: 'invalid_field',
  at,
});

const NO_PASSWORD: readonly unknown[] = [null, 1, true, [], {}, ['x'], '', 'x'.repeat(201), 'a\0b'];
const READ = { name: 'x', scopes: ['read'] };
const CANCEL = '/api/v1/deployments/dep-none/cancel';

export const BODIES: readonly BadRequest[] = [
  ...[
    '{',
    '{"a":1,}',
    "{'a':1}",
    '{a:1}',
    'NaN',
    'undefined',
    '{"a":01}',
    '{"a":1}x',
    '{"a":"\n"}',
    '<x/>',
    '"x"',
    '1',
    'null',
  ].map((body) => text(`no JSON: ${brief(body)}`, body, 'malformed_json')),
  text('empty', '', 'invalid_field', 'app_name'),
  text('an empty object', '{}', 'invalid_field', 'app_name'),
  text('a list', '[]', 'invalid_field', ''),
  text('a list of bodies', `[{${WEB}}]`, 'invalid_field', ''),
  text('lists of 10,000 levels', nested('[', ']'), 'invalid_field', down('0', '0')),
  text(
    'objects of 10,000 levels',
    `{${WEB},"x":${nested('{"a":', '}').replace(':}', ':1}')}}`,
    'invalid_field',
    down('x', 'a'),
  ),
  text('depth in a field', `{${WEB},"ports":${nested('[', ']')}}`, 'invalid_field', down('ports', '0')),
  text(
    'depth in free data',
    `{${WEB},"source":{"captain_definition":{"x":${nested('[', ']')}}}}`,
    'invalid_field',
    down('source.captain_definition.x', '0'),
  ),
  text('a list of 400,000 values', `{${WEB},"ports":[${'1,'.repeat(400_000)}1]}`, 'invalid_field', ''),
  text(
    '80,000 unknown fields',
    JSON.stringify(Object.fromEntries(Array.from({ length: 80_000 }, (_, n) => [`a${n}`, 1]))),
    'invalid_field',
    '',
  ),
  text('a field twice: the last one counts', `{${WEB},"replicas":1,"replicas":-1}`, 'invalid_field', 'replicas'),
  text('__proto__', `{${WEB},"__proto__":{"polluted":true,"scopes":["admin"]}}`, 'unknown_field', '__proto__'),
  text(
    '__proto__ within',
    `{"app_name":"${APP}","source":{"__proto__":{"dockerfile":"FROM x"}}}`,
    'unknown_field',
    'source.__proto__',
  ),
  text('__proto__ in env', `{${WEB},"env":{"__proto__":"x"}}`, 'unknown_field', 'env.__proto__'),
  text(
    'constructor.prototype',
    `{${WEB},"constructor":{"prototype":{"polluted":true}}}`,
    'unknown_field',
    'constructor',
  ),
  text(
    'bytes that are no UTF-8',
    Buffer.concat([Buffer.from('{"a'), Buffer.from([0xff]), Buffer.from('":1}')]),
    'invalid_field',
    'a\ufffd',
    'app_name',
  ),
  text('UTF-16', Buffer.from('{}', 'utf16le'), 'malformed_json'),
  { ...text('over 1 MB', `{${WEB},"reason":"${'x'.repeat(MEGABYTE)}"}`, 'payload_too_large'), status: 413 },
  {
    ...text('a gzip bomb', gzipSync(`{${WEB}}`.padEnd(50 * MEGABYTE)), 'payload_too_large'),
    headers: { ...JSON_TYPE, 'content-encoding': 'gzip' },
    status: 413,
  },
  ...[
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'application/x-tar',
    'image/png',
    'x',
    '',
  ].map((type) => typed(type)),
  typed('multipart/mixed; boundary=x'),
  typed('application/json; charset=klingon'),
  typed('application/json', '{}', { 'content-encoding': 'klingon' }),
  { name: 'neither type nor body', path: DEPLOY, method: 'POST', status: 415, code: 'unsupported_media_type' },

  ...['', ' ', 'a b', 'x'.repeat(256), 'é', 'a,\tb'].map((key): BadRequest => ({
    ...text(`Idempotency-Key ${brief(key)}`, `{${WEB}}`, 'invalid_field', 'Idempotency-Key'),
    headers: { ...JSON_TYPE, 'idempotency-key': key },
  })),

  ...NO_PASSWORD.map((password): BadRequest => ({ ...fieldOf(SESSION, { password }, 'password'), as: 'nobody' })),
  { ...fieldOf(SESSION, {}, 'password'), as: 'nobody' },
  { ...fieldOf(SESSION, { password: 'x', user: 'admin' }, 'user'), as: 'nobody', code: 'unknown_field' },
  {
    name: 'a wrong password',
    path: SESSION,
    as: 'nobody',
    body: { password: 'guess' },
    status: 401,
    code: 'wrong_password',
  },
  { ...text('login that is no JSON', '{', 'malformed_json'), path: '/api/v2/login', as: 'nobody' },
  { ...typed('text/plain', 'password=x'), path: SESSION, as: 'nobody' },

  fieldOf(TOKENS, {}, 'name', 'scopes'),
  ...['', null, 1, 'x'.repeat(101), 'a\nb', '\u202e'].map((name) => fieldOf(TOKENS, { ...READ, name }, 'name')),
  ...['read', [], ['root'], ['read', 'read'], null, [1]].map((scopes) =>
    fieldOf(TOKENS, { ...READ, scopes }, 'scopes'),
  ),
  ...[null, [], ['UPPER'], ['a'.repeat(51)], '*', [1]].map((apps) => fieldOf(TOKENS, { ...READ, apps }, 'apps')),
  ...[null, '', 1, 'a\nb'].map((agent) => fieldOf(TOKENS, { ...READ, agent }, 'agent')),
  ...[null, 0, -1, 1.5, '1', 3_651].map((days) =>
    fieldOf(TOKENS, { ...READ, expires_in_days: days }, 'expires_in_days'),
  ),
  fieldOf(TOKENS, { ...READ, scopes: ['admin'], apps: ['web'] }, 'apps'),
  { ...fieldOf(TOKENS, { ...READ, admin: true }, 'admin'), code: 'unknown_field' },

  ...[null, 1, [], {}, 'x'.repeat(501), 'a\0b'].map((reason) => fieldOf(CANCEL, { reason }, 'reason')),
  { ...fieldOf(CANCEL, { force: true }, 'force'), code: 'unknown_field' },
  { ...text('cancel with a list', '[]', 'invalid_field', ''), path: CANCEL },
];
