import { mkdir, mkdtemp, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Parser, type ReadEntry } from 'tar';
import { until } from '../../../test/support/docker-fixtures.js';
import { contextEntries, packContext } from './build-context.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-context-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function files(names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), `content of ${name}`);
  }
}

const ALL = [
  'Dockerfile',
  '.dockerignore',
  'app.js',
  'node_modules/a/index.js',
  'logs/old.log',
  'logs/keep.log',
  'sub/.env',
];

async function packed(): Promise<Map<string, ReadEntry>> {
  const entries = new Map<string, ReadEntry>();
  const parser = new Parser({
    onReadEntry: (entry) => {
      entries.set(entry.path, entry);
      entry.resume();
    },
  });
  for await (const chunk of await packContext(folder, 'Dockerfile')) parser.write(chunk as Buffer);
  parser.end();
  return entries;
}

it('holds everything where nothing is ignored', async () => {
  await files(['Dockerfile', 'a/b/c.txt']);
  await mkdir(join(folder, 'empty'));
  expect((await contextEntries(folder, 'Dockerfile')).sort()).toEqual(['Dockerfile', 'a', 'a/b', 'a/b/c.txt', 'empty']);
});

it('leaves out what .dockerignore names, but neither it nor the Dockerfile', async () => {
  await files(ALL);
  await writeFile(
    join(folder, '.dockerignore'),
    '# comment\r\nnode_modules\nlogs/*\n!logs/keep.log\n**/.env\nDockerfile\n.dockerignore\n',
  );
  const sent = (await contextEntries(folder, 'Dockerfile')).filter((entry) => ALL.includes(entry));
  expect(sent.sort()).toEqual(['.dockerignore', 'Dockerfile', 'app.js', 'logs/keep.log']);
});

it("prefers the Dockerfile's own ignore file", async () => {
  await files(['docker/web.Dockerfile', 'a', 'b']);
  await writeFile(join(folder, '.dockerignore'), 'a\n');
  await writeFile(join(folder, 'docker/web.Dockerfile.dockerignore'), 'b\n');
  const sent = await contextEntries(folder, 'docker/web.Dockerfile');
  expect(sent).toContain('a');
  expect(sent).not.toContain('b');
});

it('packs links as links, wherever they point', async () => {
  await files(['Dockerfile', 'sub/file']);
  await symlink('/etc', join(folder, 'outside'));
  await symlink('/etc/hostname', join(folder, 'outside-file'));
  await symlink('sub', join(folder, 'inside'));
  await symlink('/dev/zero', join(folder, '.dockerignore'));
  const entries = await packed();
  expect([...entries.keys()].sort()).toEqual([
    './.dockerignore',
    './Dockerfile',
    './inside',
    './outside',
    './outside-file',
    './sub/',
    './sub/file',
  ]);
  expect(entries.get('./outside')).toMatchObject({ type: 'SymbolicLink', linkpath: '/etc', size: 0 });
  expect(entries.get('./outside-file')).toMatchObject({ type: 'SymbolicLink', linkpath: '/etc/hostname', size: 0 });
});

it('packs a file whose name begins with @ as a file', async () => {
  await files(['Dockerfile', '@scope.tar']);
  expect((await packed()).get('./@scope.tar')).toMatchObject({ type: 'File', size: 'content of @scope.tar'.length });
});

it('fails where a file vanishes while it is packed', async () => {
  const names = await largeFiles();
  const context = await packContext(folder, 'Dockerfile');
  await Promise.all(names.map((name) => rm(join(folder, name))));
  await expect(context.toArray()).rejects.toMatchObject({ code: 'ENOENT' });
});

it('leaves no file open when it is stopped half-way', async () => {
  await largeFiles();
  const context = await packContext(folder, 'Dockerfile');
  for await (const _ of context) break;
  await until(async () => (await openFiles()).length === 0, 'the files are closed');
});

async function largeFiles(): Promise<string[]> {
  const names = Array.from({ length: 16 }, (_, index) => `large-${index}`);
  await Promise.all(names.map((name) => writeFile(join(folder, name), Buffer.alloc(4 * 1024 * 1024))));
  return names;
}

/** Files of the folder that this process has open. */
async function openFiles(): Promise<string[]> {
  const descriptors = await readdir('/proc/self/fd');
  const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')));
  return targets.filter((target) => target.startsWith(folder));
}
