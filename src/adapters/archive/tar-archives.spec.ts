/** What TarArchives takes, what it calls unreadable, and how it stops. */
import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  blocks,
  END_OF_ARCHIVE,
  entryBytes,
  file,
  folder,
  inChunks,
  paxRecord,
  symbolicLink,
  tar,
  tarGz,
} from '../../../test/support/tar.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { TarArchives } from './tar-archives.js';

const MEGABYTE = 1024 * 1024;
const never = new AbortController().signal;
const archives = new TarArchives({ maxBytes: 8 * MEGABYTE });
const temporary = temporaryFolder();
const target = () => join(temporary.path, 'target');

const extract = (bytes: Buffer, size?: number) => archives.extract(inChunks(bytes, size), target(), never);

describe('what is unpacked', () => {
  const entries = [
    folder('./'),
    folder('./src/'),
    file('./src/main.ts', 'x'.repeat(100_000)),
    file('Dockerfile', 'FROM a'),
  ];

  it.each([
    ['tar', tar(...entries)],
    ['tar.gz', tarGz(...entries)],
  ])('%s, whatever the size of its chunks', async (_name, bytes) => {
    await extract(bytes, 777);
    expect(await readFile(join(target(), 'src/main.ts'), 'utf8')).toBe('x'.repeat(100_000));
    expect(await readFile(join(target(), 'Dockerfile'), 'utf8')).toBe('FROM a');
  });

  it('comes byte by byte too', async () => {
    await extract(tarGz(file('a', 'b')), 1);
    expect(await readFile(join(target(), 'a'), 'utf8')).toBe('b');
  });

  it('what the tar program of the system packed', async () => {
    const source = join(temporary.path, 'source');
    await mkdir(join(source, 'deep/er'), { recursive: true });
    await writeFile(join(source, 'deep/er', 'n'.repeat(200)), 'long name');
    await symlink('deep/er', join(source, 'link'));
    const bytes = execFileSync('tar', ['-cz', '-C', source, '.']);
    await extract(bytes);
    expect(await readFile(join(target(), 'link', 'n'.repeat(200)), 'utf8')).toBe('long name');
  });

  it('links that stay inside, chains of them in any order too', async () => {
    await extract(
      tar(
        symbolicLink('libz.so', 'libz.so.1'),
        symbolicLink('libz.so.1', 'lib/libz.so.1.2'),
        symbolicLink('bin/up', '../lib'),
        file('lib/libz.so.1.2', 'z'),
        symbolicLink('dangling', 'not/there'),
      ),
    );
    expect(await readFile(join(target(), 'libz.so'), 'utf8')).toBe('z');
    expect(await readFile(join(target(), 'bin/up/libz.so.1.2'), 'utf8')).toBe('z');
    expect(await readlink(join(target(), 'dangling'))).toBe('not/there');
  });

  it('takes binary attributes that some systems pack beside the names', async () => {
    const pax = entryBytes({
      path: 'PaxHeader',
      type: 'x',
      body: paxRecord('SCHILY.xattr.com.apple.provenance', '\u0001\0\0x'),
    });
    await extract(Buffer.concat([pax, tar(file('a', 'b'))]));
    expect(await readdir(target())).toEqual(['a']);
  });

  it('drops setuid, setgid and sticky bits, keeps the executable ones, and can always be read and removed', async () => {
    await extract(tar(file('tool', '', 0o7755), file('closed', '', 0), { ...folder('dir'), mode: 0o1000 }));
    expect((await lstat(join(target(), 'tool'))).mode & 0o7700).toBe(0o700);
    expect((await lstat(join(target(), 'closed'))).mode & 0o7777).toBe(0o600);
    expect((await lstat(join(target(), 'dir'))).mode & 0o7777).toBe(0o700);
  });

  it('passes over what follows the end of the archive', async () => {
    await extract(Buffer.concat([tar(file('a', 'b')), Buffer.alloc(MEGABYTE), tar(file('../evil'))]));
    expect(await readdir(target())).toEqual(['a']);
  });

  it('refuses a folder that is not empty, and leaves it alone', async () => {
    await mkdir(target());
    await writeFile(join(target(), 'precious'), '');
    await expect(extract(tar(file('a')))).rejects.toThrow('not empty');
    expect(await readdir(target())).toEqual(['precious']);
  });
});

describe('archive_invalid', () => {
  const whole = tar(file('a', 'x'.repeat(5_000)), file('b', 'y'));

  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from('x')],
    ['text', Buffer.from('FROM scratch\n')],
    ['long text', Buffer.from('FROM scratch\n'.repeat(1_000))],
    ['a zip file', Buffer.concat([Buffer.from('PK\u0003\u0004'), Buffer.alloc(2_000, 7)])],
    ['an archive without entries', END_OF_ARCHIVE],
    ['gzip of nothing', gzipSync(Buffer.alloc(0))],
    ['gzip of text', gzipSync('hello')],
    ['an entry cut in its body', whole.subarray(0, 2_000)],
    ['an archive cut between entries', whole.subarray(0, 512 + 5_120)],
    ['an archive cut in a header', whole.subarray(0, 512 + 5_120 + 100)],
    ['gzip cut', gzipSync(whole).subarray(0, -20)],
    ['gzip cut in its header', gzipSync(whole).subarray(0, 3)],
    ['gzip with a wrong checksum', Buffer.concat([gzipSync(whole).subarray(0, -8), Buffer.alloc(8)])],
    ['gzip in gzip', gzipSync(gzipSync(whole))],
    ['an entry with a wrong checksum', Buffer.concat([Buffer.from('z'), whole.subarray(1)])],
    ['a size beyond the end', Buffer.concat([entryBytes({ path: 'a', body: 'x', size: 50_000 }), END_OF_ARCHIVE])],
    ['a file below a file', tar(file('a'), file('a/b'))],
    ['a link without a target', tar({ path: 'link', type: '2' })],
  ])('%s', async (_name, bytes) => {
    await expect(extract(bytes)).rejects.toMatchObject({ code: 'archive_invalid' });
    expect(await readdir(temporary.path)).toEqual([]);
  });
});

describe('stopping', () => {
  const reason = new Error('cancelled by a person');

  it('stops between chunks and leaves nothing', async () => {
    const controller = new AbortController();
    async function* source() {
      yield entryBytes(file('a', 'x'));
      yield entryBytes(file('big', Buffer.alloc(MEGABYTE))).subarray(0, 1_000);
      controller.abort(reason);
      yield blocks(Buffer.alloc(MEGABYTE));
    }
    await expect(archives.extract(source(), target(), controller.signal)).rejects.toBe(reason);
    expect(await readdir(temporary.path)).toEqual([]);
  });

  it('stops while the source gives nothing', async () => {
    const controller = new AbortController();
    let closed = false;
    const source = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          setImmediate(() => controller.abort(reason));
          return new Promise<never>(() => undefined);
        },
        return: () => {
          closed = true;
          return Promise.resolve({ done: true as const, value: undefined });
        },
      }),
    };
    await expect(archives.extract(source, target(), controller.signal)).rejects.toBe(reason);
    expect(closed).toBe(true);
    expect(await readdir(temporary.path)).toEqual([]);
  });

  it('does not begin when it was stopped before', async () => {
    await expect(archives.extract(inChunks(tar(file('a'))), target(), AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(await readdir(temporary.path)).toEqual([]);
  });

  it.each(['tar', 'tar.gz'])(
    'passes the errors of the source of a %s on, and closes it after its own',
    async (kind) => {
      let closed = 0;
      async function* source(fails: boolean) {
        try {
          const bytes = tar(file('a', 'x'), file('../evil'), file('b', Buffer.alloc(MEGABYTE, 'noise')));
          yield* inChunks(kind === 'tar' ? bytes : gzipSync(bytes, { level: 0 }));
          if (fails) throw reason;
        } finally {
          closed += 1;
        }
      }
      await expect(archives.extract(source(false), target(), never)).rejects.toMatchObject({ code: 'archive_unsafe' });
      expect(closed).toBe(1);

      async function* broken() {
        yield kind === 'tar' ? entryBytes(file('a')) : tarGz(file('a')).subarray(0, 30);
        throw reason;
      }
      await expect(archives.extract(broken(), target(), never)).rejects.toBe(reason);
    },
  );
});
