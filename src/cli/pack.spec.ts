import { describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { link, mkdir, symlink, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { TarArchives } from '../adapters/archive/tar-archives.js';
import { collectGarbage } from '../../test/support/memory.js';
import { temporaryFolder } from '../../test/support/temporary-folder.js';
import { packed, requireSource } from './pack.js';

const temporary = temporaryFolder();
const folder = () => join(temporary.path, 'app');

async function write(files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(join(folder(), path, '..'), { recursive: true });
    await writeFile(join(folder(), path), content);
  }
}

/** Names as the system's own tar lists them, without folders. */
async function names(): Promise<string[]> {
  const listed = execFileSync('tar', ['-tz'], { input: await buffer(packed(folder())) });
  return listed
    .toString()
    .split('\n')
    .filter((name) => name !== '' && !name.endsWith('/'))
    .map((name) => name.replace('./', ''))
    .sort();
}

describe('packed', () => {
  it('holds the folder, without what is ignored', async () => {
    await write({
      Dockerfile: 'FROM scratch',
      '.dockerignore': 'x',
      '.flukedeployignore': '*.log\ndist',
      'src/deep/a.ts': 'a',
      'src/node_modules/kept.js': 'k',
      '.git/HEAD': 'h',
      'node_modules/left-out.js': 'n',
      'dist/left-out.js': 'd',
      'src/left-out.log': 'l',
    });
    expect(await names()).toEqual([
      '.dockerignore',
      '.flukedeployignore',
      'Dockerfile',
      'src/deep/a.ts',
      'src/node_modules/kept.js',
    ]);
  });

  it('is taken by the server, with links of both kinds and long names', async () => {
    await write({ Dockerfile: 'FROM scratch', 'lib/one.txt': 'one', [`${'n'.repeat(200)}.txt`]: 'long' });
    await link(join(folder(), 'lib/one.txt'), join(folder(), 'lib/two.txt'));
    await symlink('lib/one.txt', join(folder(), 'link'));
    await using socket = createServer();
    await once(socket.listen(join(folder(), 'socket')), 'listening');
    const target = join(temporary.path, 'unpacked');
    await new TarArchives({ maxBytes: 1024 * 1024 }).extract(packed(folder()), target, new AbortController().signal);
    const listed = execFileSync('find', ['.', '!', '-type', 'd', '-printf', '%P %y\n'], { cwd: target }).toString();
    expect(listed.trim().split('\n').sort()).toEqual([
      'Dockerfile f',
      'lib/one.txt f',
      'lib/two.txt f',
      'link l',
      `${'n'.repeat(200)}.txt f`,
    ]);
  });

  it('is the same, byte by byte, for the same folder: a repeated upload is the same request', async () => {
    await write(Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`d${n % 7}/f${n}`, `${n}`.repeat(n * 100)])));
    expect((await buffer(packed(folder()))).equals(await buffer(packed(folder())))).toBe(true);
  });

  it('waits for its reader: a large folder is never held in memory', async () => {
    const noise = execFileSync('head', ['-c', String(48 * 1024 * 1024), '/dev/urandom'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    await write({ noise });
    const held: number[] = [];
    for await (const piece of packed(folder())) {
      if (held.length % 100 === 0) collectGarbage();
      held.push(process.memoryUsage().arrayBuffers + piece.length);
    }
    expect(Math.max(...held) - (held[0] ?? 0)).toBeLessThan(noise.length / 3);
  });

  it('says so when the folder cannot be read', async () => {
    await expect(buffer(packed(folder()))).rejects.toThrow(/cannot be packed/);
  });
});

describe('requireSource', () => {
  it.each(['Dockerfile', 'captain-definition'])('is content with a %s', async (name) => {
    await write({ [name]: '' });
    await expect(requireSource(folder())).resolves.toBeUndefined();
  });

  it('refuses what the server would refuse after the upload', async () => {
    await expect(requireSource(folder())).rejects.toThrow(/There is no folder/);
    await write({ 'web/Dockerfile': '' });
    await expect(requireSource(folder())).rejects.toThrow(/neither a Dockerfile nor a captain-definition/);
    await expect(requireSource(join(folder(), 'web/Dockerfile'))).rejects.toThrow(/--tar/);
  });
});
