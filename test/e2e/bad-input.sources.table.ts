/** Sources that must be refused when they are asked for: git addresses above all. */
import type { ErrorCode } from '../../src/domain/errors.js';
import { APP, type BadRequest, brief, DEPLOY } from './bad-input.row.js';

const row = (name: string, body: object, status: number, code: ErrorCode, ...at: string[]): BadRequest => ({
  name,
  path: DEPLOY,
  body: { app_name: APP, ...body },
  status,
  code,
  at,
});

const URL_OF_NOBODY = 'https://127.0.0.1/r.git';
const git = (fields: object, status: number, code: ErrorCode, ...at: string[]): BadRequest =>
  row(`git ${brief(fields)}`, { source: { git: { url: URL_OF_NOBODY, ...fields } } }, status, code, ...at);

const NO_TEXT = [null, 1, true, [], {}];

const NO_URL = [
  ...NO_TEXT,
  '',
  'x',
  '/etc/passwd',
  '../r.git',
  'file:///etc/passwd',
  'ssh://git@example.com/r.git',
  'git@example.com:r.git',
  'git://example.com/r.git',
  'ext::sh -c id',
  'ftp://example.com/r.git',
  'javascript:alert(1)',
  '--upload-pack=id',
  '-h',
  'http://',
  'https://user:secret@example.com/r.git',
  'https://user@example.com/r.git',
  'https://example.com/r.git\n--upload-pack=id',
  'https://example.com/a b',
  'https://exa mple.com/r.git',
  'https://example.com/r\0.git',
  'https://example.com/r.git?x=1',
  'https://example.com/r.git#main',
  'https://exämple.com/r.git',
  `https://example.com/${'x'.repeat(2_000)}`,
];
const NOT_PUBLIC = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f.1',
  '0x7f000001',
  '0177.0.0.1',
  'localhost',
  '0.0.0.0',
  '0',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '224.0.0.1',
  '255.255.255.255',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[fe80::1]',
  '[fd00::1]',
  '[ff02::1]',
];
/** What would be a command, if a shell ever saw it. */
const PATHS = ['/r;touch%20x', '/$(id)', '/`id`', "/r'", '/r&&id', '/r|id', '/../../etc/passwd', '/%2e%2e/%00'];

const NO_REF = [
  ...NO_TEXT,
  '',
  '-x',
  '--upload-pack=id',
  '../x',
  'a..b',
  'a b',
  'main;id',
  '$(id)',
  '`id`',
  'main|id',
  'main&id',
  "main'",
  'main"',
  'main\nx',
  'main\0',
  'mäin',
  'refs/heads/*',
  'main^{}',
  'main~1',
  'HEAD:x',
  'r'.repeat(201),
];
const NO_TOKEN = [...NO_TEXT, '', 'a b', 'a\nb', 'a\r\nX: y', 'a\0', 'tökén', 't'.repeat(501)];

const NO_DEFINITION: readonly object[] = [
  {},
  { schemaVersion: 1, imageName: 'busybox:1' },
  { schemaVersion: '2', imageName: 'busybox:1' },
  { schemaVersion: 2 },
  { schemaVersion: 2, imageName: '--help' },
  { schemaVersion: 2, imageName: ['busybox'] },
  { schemaVersion: 2, imageName: 'busybox:1', dockerfileLines: ['FROM x'] },
  { schemaVersion: 2, dockerfileLines: [] },
  { schemaVersion: 2, dockerfileLines: [1] },
  { schemaVersion: 2, dockerfileLines: 'FROM x' },
  { schemaVersion: 2, dockerfilePath: '../Dockerfile' },
  { schemaVersion: 2, dockerfilePath: '/etc/passwd' },
  { schemaVersion: 2, dockerfilePath: 1 },
  { schemaVersion: 2, templateId: 'node/24' },
];
const NO_DOCKERFILE = ['', ' ', 'FRM busybox', 'RUN id', 'FROM', 'FROM a b', '# syntax=evil/frontend\nFROM busybox:1'];

export const SOURCES: readonly BadRequest[] = [
  row('none at all', {}, 400, 'invalid_field', 'source'),
  row('image and source', { image: 'busybox:1', source: { dockerfile: 'FROM x' } }, 400, 'invalid_field', 'source'),
  row(
    'two sources in one',
    { source: { dockerfile: 'FROM x', captain_definition: {} } },
    400,
    'invalid_field',
    'source',
  ),
  row('an empty source', { source: {} }, 400, 'invalid_field', 'source'),
  ...[null, 'x', 1, true, []].map((source) =>
    row(`source ${brief(source)}`, { source }, 400, 'invalid_field', 'source'),
  ),
  row('an unknown kind', { source: { svn: 'x' } }, 400, 'unknown_field', 'source.svn'),
  ...[null, 'x', 1, []].map((value) =>
    row(`git ${brief(value)}`, { source: { git: value } }, 400, 'invalid_field', 'source.git'),
  ),
  row('git without URL', { source: { git: {} } }, 400, 'invalid_field', 'source.git.url'),
  row(
    'git with more',
    { source: { git: { url: 'https://example.com/r', depth: 1 } } },
    400,
    'unknown_field',
    'source.git.depth',
  ),
  ...NO_URL.map((url) => git({ url }, 400, 'invalid_field', 'source.git.url')),
  ...NOT_PUBLIC.map((host) => git({ url: `http://${host}/r.git` }, 422, 'git_host_refused', 'source.git.url')),
  ...PATHS.map((path) => git({ url: `https://127.0.0.1${path}` }, 422, 'git_host_refused', 'source.git.url')),
  git({ url: 'http://127.0.0.1:3000/r', ref: '0'.repeat(40) }, 422, 'git_host_refused', 'source.git.url'),
  git({ url: 'http://example.com/r', token: 'secret' }, 422, 'git_host_refused', 'source.git.url'),
  git({ url: 'https://nobody.invalid/r' }, 422, 'git_unreachable', 'source.git.url'),
  ...NO_REF.map((ref) => git({ ref }, 400, 'invalid_field', 'source.git.ref')),
  ...NO_TOKEN.map((token) => git({ token }, 400, 'invalid_field', 'source.git.token')),
  ...[...NO_TEXT, 'F'.repeat(256 * 1024 + 1), 'FROM a\0'].map((dockerfile) =>
    row(`dockerfile ${brief(dockerfile)}`, { source: { dockerfile } }, 400, 'invalid_field', 'source.dockerfile'),
  ),
  ...NO_DOCKERFILE.map((dockerfile) =>
    row(`dockerfile ${brief(dockerfile)}`, { source: { dockerfile } }, 422, 'source_unusable', 'source.dockerfile'),
  ),
  ...[null, 'x', 1, []].map((value) =>
    row(
      `definition ${brief(value)}`,
      { source: { captain_definition: value } },
      400,
      'invalid_field',
      'source.captain_definition',
    ),
  ),
  ...NO_DEFINITION.map((captain_definition) =>
    row(
      `definition ${brief(captain_definition)}`,
      { source: { captain_definition } },
      422,
      'source_unusable',
      'source.captain_definition',
    ),
  ),
  row(
    'a definition that needs files',
    { source: { captain_definition: { schemaVersion: 2, dockerfilePath: './Dockerfile' } } },
    422,
    'source_unusable',
    'source.captain_definition.dockerfilePath',
  ),
];
