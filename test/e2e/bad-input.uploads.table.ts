/** Multipart bodies that must be refused, and of which nothing may stay. */
import type { ErrorCode } from '../../src/domain/errors.js';
import { END, field, MULTIPART, upload } from '../support/multipart.js';
import { APP, type BadRequest, DEPLOY } from './bad-input.row.js';

const MEGABYTE = 1024 * 1024;
const SPEC = field('spec', JSON.stringify({ app_name: APP }));
const spec = (body: object): Buffer => field('spec', JSON.stringify({ app_name: APP, ...body }));
const SOURCE = upload('source', 'x'.repeat(10_000));

const row = (name: string, parts: readonly Buffer[], status: number, code: ErrorCode, ...at: string[]): BadRequest => {
  const body = Buffer.concat([...parts]);
  return { name, path: DEPLOY, headers: MULTIPART, body, status, code, ...(at.length > 0 && { at }) };
};
const cut = (name: string, ...parts: readonly Buffer[]) => row(name, parts, 400, 'malformed_multipart');
const unknown = (name: string, part: string, ...parts: readonly Buffer[]) =>
  row(name, [...parts, END], 400, 'unknown_field', part);
const typed = (type: string): BadRequest => ({ ...cut(type, SPEC, SOURCE, END), headers: { 'content-type': type } });

export const UPLOADS: readonly BadRequest[] = [
  row('without spec', [SOURCE, END], 400, 'malformed_multipart'),
  row('without source', [SPEC, END], 400, 'invalid_field', 'source'),
  row('source and image', [spec({ image: 'busybox:1' }), SOURCE, END], 400, 'invalid_field', 'source'),
  row(
    'source in JSON and upload',
    [spec({ source: { dockerfile: 'FROM x' } }), SOURCE, END],
    400,
    'invalid_field',
    'source',
  ),
  row('a spec that is wrong', [spec({ replicas: -1 }), SOURCE, END], 400, 'invalid_field', 'replicas'),
  row(
    'a spec that is wrong, behind the source',
    [SOURCE, spec({ app_name: 'UPPER' }), END],
    400,
    'invalid_field',
    'app_name',
  ),
  row('a spec with an unknown field', [spec({ x: 1 }), SOURCE, END], 400, 'unknown_field', 'x'),
  ...['[]', 'null', '1', '"x"'].map((text) =>
    row(`spec ${text}`, [field('spec', text), SOURCE, END], 400, 'invalid_field', ''),
  ),
  ...['{', '', 'x'].map((text) => row(`spec ${text}`, [field('spec', text), SOURCE, END], 400, 'malformed_json')),
  row('a broken spec, behind the source', [SOURCE, field('spec', '{'), END], 400, 'malformed_json'),
  row('a spec over 1 MB', [field('spec', `"${'x'.repeat(MEGABYTE)}"`), SOURCE, END], 413, 'payload_too_large'),
  row('a source over the limit', [SPEC, upload('source', 'x'.repeat(MEGABYTE + 1)), END], 413, 'payload_too_large'),
  row(
    'a source far over the limit',
    [SPEC, upload('source', 'x'.repeat(20 * MEGABYTE)), END],
    413,
    'payload_too_large',
  ),
  row('an empty source', [SPEC, upload('source', ''), END], 422, 'source_unusable', 'source'),
  unknown('an unknown field', 'evil', SPEC, field('evil', 'x'), SOURCE),
  unknown('an unknown field first', 'evil', field('evil', 'x'), SPEC, SOURCE),
  unknown('an unknown file', 'evil', SPEC, upload('evil', 'x'), SOURCE),
  unknown('an unknown file behind the source', 'evil', SPEC, SOURCE, upload('evil', 'x')),
  unknown('two sources', 'source', SPEC, SOURCE, SOURCE),
  unknown('two specs', 'spec', SPEC, SPEC, SOURCE),
  unknown('a source that is no file', 'source', SPEC, field('source', 'x')),
  unknown('a spec that is a file', 'spec', upload('spec', '{}'), SOURCE),
  unknown('__proto__', '__proto__', SPEC, SOURCE, field('__proto__', 'x')),
  unknown('a thousand parts', 'x', SPEC, ...Array<Buffer>(1_000).fill(field('x', 'x'))),
  cut('nothing'),
  cut('only the end', END),
  cut('no multipart', Buffer.from('hello')),
  cut('cut off in the spec', SPEC.subarray(0, -5)),
  cut('cut off behind the spec', SPEC),
  cut('cut off in the head of a part', SPEC, SOURCE.subarray(0, 60)),
  cut('cut off in the source', SPEC, SOURCE.subarray(0, -100)),
  cut('cut off behind the source', SPEC, SOURCE),
  row('cut off in an unknown file', [SPEC, upload('evil', 'x').subarray(0, -3)], 400, 'unknown_field', 'evil'),
  ...['multipart/form-data', 'multipart/form-data; boundary=', 'multipart/form-data; boundary=other'].map(typed),
  typed(`multipart/form-data; boundary=${'x'.repeat(5_000)}`),
  {
    ...cut('the upload of another route', field('password', 'x'), END),
    path: '/api/v1/session',
    as: 'nobody',
    code: 'invalid_field',
    at: ['password'],
  },
  { ...cut('no credentials', SPEC, SOURCE, END), as: 'nobody', status: 401, code: 'unauthenticated' },
  { ...cut('without the scope', SPEC, SOURCE, END), as: 'reader', status: 403, code: 'forbidden' },
  { ...cut('an app of others', SPEC, SOURCE, END), as: 'restricted', status: 404, code: 'app_not_found' },
];
