/** Archives that are accepted, since only unpacking shows what they are, and must fail in pre_build. */
import { gzipSync } from 'node:zlib';
import type { ErrorCode } from '../../src/domain/errors.js';
import { file, folder, hardLink, symbolicLink, tar, type TarEntry, tarGz } from '../support/tar.js';

export interface EvilArchive {
  readonly name: string;
  readonly bytes: Buffer;
  readonly code: ErrorCode;
}

const MEGABYTE = 1024 * 1024;
const DOCKERFILE = file('Dockerfile', 'FROM busybox:1\n');
const ROOT = '../'.repeat(12);

const evil = (name: string, code: ErrorCode, bytes: Buffer): EvilArchive => ({ name, code, bytes });
const entries = (name: string, code: ErrorCode, ...more: readonly TarEntry[]) => evil(name, code, tar(...more));
const unsafe = (name: string, ...more: readonly TarEntry[]) => entries(name, 'archive_unsafe', DOCKERFILE, ...more);
const definition = (name: string, code: ErrorCode, text: object | string) =>
  entries(name, code, file('captain-definition', typeof text === 'string' ? text : JSON.stringify(text)));

const truncated = (bytes: Buffer) => bytes.subarray(0, Math.floor(bytes.length / 2));
const noise = Buffer.from(Array.from({ length: 50_000 }, (_, index) => (index * index * 31) % 251));

/** @param escape absolute path of a file that each of them tries to write */
export function evilArchives(escape: string): readonly EvilArchive[] {
  const [, top = '', ...below] = escape.split('/');
  return [
    unsafe('absolute', file(escape, 'out')),
    unsafe('two slashes', file(`/${escape}`, 'out')),
    unsafe('upwards', file(`${ROOT}${escape.slice(1)}`, 'out')),
    unsafe('upwards within', file(`a/b/${ROOT}${escape.slice(1)}`, 'out')),
    unsafe('upwards with backslashes', file(`..\\..\\${below.join('\\')}`, 'out')),
    unsafe('through a link', symbolicLink('out', `/${top}`), file(`out/${below.join('/')}`, 'out')),
    unsafe('through a relative link', symbolicLink('out', `${ROOT}${top}`), file(`out/${below.join('/')}`, 'out')),
    unsafe('through two links', symbolicLink('a', '.'), symbolicLink('a/b', '..'), file('a/b/x', 'out')),
    unsafe('a link to a file outside', symbolicLink('passwd', '/etc/passwd')),
    unsafe('a hard link outside', hardLink('passwd', '/etc/passwd')),
    unsafe('a hard link inside', hardLink('copy', 'Dockerfile')),
    unsafe('a character device', { path: 'null', type: '3' }),
    unsafe('a block device', { path: 'disk', type: '4' }),
    unsafe('a pipe', { path: 'pipe', type: '6' }),
    unsafe('control characters', file('a\u001b[31m', 'x')),
    unsafe('the folder itself', symbolicLink('.', '/etc')),
    entries('a Dockerfile that is a link outside', 'archive_unsafe', symbolicLink('Dockerfile', '/etc/passwd')),
    evil('a gzip bomb', 'archive_too_large', tarGz(DOCKERFILE, file('zeros', Buffer.alloc(40 * MEGABYTE)))),
    evil('gzip in gzip', 'archive_invalid', gzipSync(tarGz(DOCKERFILE))),
    evil('a gzip that is cut off', 'archive_invalid', truncated(tarGz(DOCKERFILE, file('noise', noise)))),
    evil('a tar that is cut off', 'archive_invalid', truncated(tar(DOCKERFILE, file('noise', noise)))),
    evil('no tar', 'archive_invalid', Buffer.from('FROM busybox:1\n'.repeat(200))),
    evil('a zip', 'archive_invalid', Buffer.concat([Buffer.from('PK\u0003\u0004'), noise])),
    evil('noise', 'archive_invalid', noise),
    evil('no entries', 'archive_invalid', tar()),
    entries('no files', 'definition_missing', folder('src')),
    entries('nothing to build', 'definition_missing', file('index.html', 'hello'), file('app.js', '')),
    entries(
      'a Dockerfile that is a folder',
      'definition_missing',
      folder('Dockerfile'),
      file('Dockerfile/x', 'FROM x'),
    ),
    entries('a Dockerfile that is a circle', 'definition_missing', symbolicLink('Dockerfile', 'Dockerfile'), file('x')),
    entries('a Dockerfile that leads nowhere', 'definition_missing', symbolicLink('Dockerfile', 'nowhere'), file('x')),
    entries('an empty Dockerfile', 'dockerfile_invalid', file('Dockerfile', '')),
    entries('a wrong Dockerfile', 'dockerfile_invalid', file('Dockerfile', 'FRM busybox:1\n')),
    entries('a stranger as builder', 'dockerfile_invalid', file('Dockerfile', '# syntax=evil/x\nFROM busybox:1\n')),
    evil('a Dockerfile of 2 MB', 'definition_invalid', tarGz(file('Dockerfile', '#\n'.repeat(MEGABYTE)))),
    evil('a definition of 2 MB', 'definition_invalid', tarGz(file('captain-definition', ' '.repeat(2 * MEGABYTE)))),
    definition('a definition that is no JSON', 'definition_invalid', '{'),
    definition('a definition that is a list', 'definition_invalid', '[]'),
    definition('a definition without a version', 'definition_invalid', { imageName: 'busybox:1' }),
    definition('an image name with an option', 'definition_invalid', { schemaVersion: 2, imageName: '--help' }),
    definition('a path upwards', 'definition_invalid', { schemaVersion: 2, dockerfilePath: '../../etc/passwd' }),
    definition('a file that is not there', 'definition_missing', { schemaVersion: 2, dockerfilePath: 'Nowhere' }),
    definition('a template', 'template_unsupported', { schemaVersion: 2, templateId: 'node/24' }),
  ];
}
