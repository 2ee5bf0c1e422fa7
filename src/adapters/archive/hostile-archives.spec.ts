/** The attacks on TarArchives: nothing of a refused archive stays, and nothing is ever written outside its folder. */
import { describe, expect, it } from '@jest/globals';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  END_OF_ARCHIVE,
  entryBytes,
  file,
  folder,
  hardLink,
  inChunks,
  paxRecord,
  symbolicLink,
  tar,
  type TarEntry,
} from '../../../test/support/tar.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { TarArchives } from './tar-archives.js';

const MEGABYTE = 1024 * 1024;
const never = new AbortController().signal;
const archives = new TarArchives({ maxBytes: 8 * MEGABYTE });
const temporary = temporaryFolder();
const target = () => join(temporary.path, 'target');

const extract = (bytes: Buffer, size?: number) => archives.extract(inChunks(bytes, size), target(), never);

/** Expects the refusal, and that nothing is left and nothing was written elsewhere. */
async function expectRefusal(bytes: Buffer, code: string, message = /./): Promise<void> {
  await expect(extract(bytes)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(await readdir(temporary.path)).toEqual([]);
}

describe('archive_unsafe', () => {
  const long = (path: string) => `${'deep/'.repeat(30)}${path}`;

  it.each<[string, TarEntry]>([
    ['/etc/passwd', file('/etc/passwd')],
    ['//etc/passwd', file('//etc/passwd')],
    ['../x', file('../x')],
    ['./../x', file('./../x')],
    ['a/../../b', file('a/../../b')],
    ['..\\\\x', file('..\\x')],
    ['C:\\\\x', file('C:\\x')],
    ['..', folder('..')],
    ['a\\nb', file('a\nb')],
    ['a\\u001bb', file('a\u001bb')],
    ['../../../x', file(long('../../../x'))],
    ['hard', hardLink('hard', 'a')],
    ['hard', hardLink('hard', '/etc/passwd')],
    ['device', { path: 'device', type: '3' }],
    ['disk', { path: 'disk', type: '4' }],
    ['pipe', { path: 'pipe', type: '6' }],
    ['sparse', { path: 'sparse', type: 'S' }],
    ['link', symbolicLink('link', '/etc')],
    ['link', symbolicLink('link', '..')],
    ['a/link', symbolicLink('a/link', '../../b')],
    ['link', symbolicLink('link', 'a/../..')],
    ['link', symbolicLink('link', `${'deep/'.repeat(30)}../../x`)],
    ['.', symbolicLink('.', 'a')],
    ['a', file('a'.repeat(300))],
    ['d', file('d/'.repeat(1_000) + 'x')],
  ])('refuses and names %s', async (name, entry) => {
    await expectRefusal(tar(file('innocent', 'x'), entry, file('after')), 'archive_unsafe', new RegExp(escaped(name)));
  });

  it.each<[string, TarEntry[]]>([
    ['a file through a link', [symbolicLink('dir', 'other'), file('dir/file')]],
    [
      'a file through a link, the folder being there first',
      [folder('dir'), symbolicLink('dir', 'other'), file('dir/file')],
    ],
    ['a link in the place of a folder with files', [file('dir/file'), symbolicLink('dir', 'other')]],
    ['a file in the place of a link', [symbolicLink('file', 'other'), file('file')]],
    ['a link in the place of a file', [file('file'), symbolicLink('./file', 'other')]],
    ['a link through a link', [symbolicLink('dir', 'other'), symbolicLink('dir/link', 'x')]],
  ])('refuses %s', (_name, entries) => expectRefusal(tar(...entries), 'archive_unsafe', /dir|file/));

  it('refuses a NUL in a long name, where the library would cut it', async () => {
    const pax = entryBytes({ path: 'PaxHeader', type: 'x', body: paxRecord('path', 'innocent\0../../evil') });
    await expectRefusal(Buffer.concat([pax, tar(file('a'))]), 'archive_unsafe', /innocent.*NUL/);
  });

  it('refuses a PAX header too long to be read, which would leave the entry with another name', async () => {
    const pax = entryBytes({ path: 'PaxHeader', type: 'x', body: paxRecord('path', 'p'.repeat(2 * MEGABYTE)) });
    await expectRefusal(Buffer.concat([pax, tar(file('a'))]), 'archive_unsafe', /PaxHeader/);
  });
});

describe('archive_too_large', () => {
  it('stops a gzip bomb', async () => {
    const bomb = gzipSync(Buffer.concat([entryBytes(file('zeros', Buffer.alloc(64 * MEGABYTE))), END_OF_ARCHIVE]));
    expect(bomb.length).toBeLessThan(100_000);
    await expectRefusal(bomb, 'archive_too_large', /8388608 bytes/);
  });

  it('counts what follows the end of the archive too', () =>
    expectRefusal(gzipSync(Buffer.concat([tar(file('a')), Buffer.alloc(64 * MEGABYTE)])), 'archive_too_large'));

  it('counts headers that carry no file', async () => {
    const header = entryBytes({ path: 'g', type: 'g', body: paxRecord('comment', 'x'.repeat(100_000)) });
    await expectRefusal(
      gzipSync(Buffer.concat([...Array<Buffer>(100).fill(header), END_OF_ARCHIVE])),
      'archive_too_large',
    );
  });

  it.each([
    ['entries', Array.from({ length: 101 }, () => folder('same'))],
    ['folders that names imply', [folder('a/'.repeat(60)), folder(`b/${'a/'.repeat(60)}`)]],
  ])('stops at more %s than are allowed', async (_name, entries) => {
    const narrow = new TarArchives({ maxBytes: MEGABYTE, maxEntries: 100 });
    await expect(narrow.extract(inChunks(tar(...entries)), target(), never)).rejects.toMatchObject({
      code: 'archive_too_large',
      message: expect.stringContaining('100 entries'),
    });
    expect(await readdir(temporary.path)).toEqual([]);
  });
});

describe('however an archive is damaged', () => {
  it('the answer comes, is one of ours, and nothing is written outside', async () => {
    const good = tar(folder('d'), file('d/a', 'x'.repeat(600)), symbolicLink('l', 'd/a'), file('n'.repeat(150), 'y'));
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(good.length), async (bytes, cut) => {
        const bad = Buffer.from(good.subarray(0, cut % 3 === 0 ? cut : good.length));
        for (const [position, value] of bytes) if (position < bad.length) bad[position] = value;
        const outcome = await extract(bad, 500).then(
          () => 'extracted',
          (error: unknown) => (error as { code?: string }).code ?? error,
        );
        expect(['extracted', 'archive_invalid', 'archive_unsafe']).toContain(outcome);
        expect(await readdir(temporary.path)).toEqual(outcome === 'extracted' ? ['target'] : []);
        await rm(target(), { recursive: true, force: true });
      }),
      { numRuns: 300 },
    );
  });
});

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
