import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { collectGarbage } from '../../../test/support/memory.js';
import { isReachableBy, isRoot, lockDataDirectory, makeDirectory, socketDirectory } from './data-directory.js';

const anotherUser = { uid: 54321, gid: 54321 };
let directory: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'flukedeploy-spec-')));
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(directory, { recursive: true });
});

describe('lockDataDirectory', () => {
  it('refuses a second server by name of the directory, until the first lets go', async () => {
    const data = join(directory, 'new', 'data');
    const lock = await lockDataDirectory(data);
    await expect(lockDataDirectory(data)).rejects.toThrow(data);
    await lock.release();
    await (await lockDataDirectory(data)).release();
  });

  it('refuses while another process holds the lock, and is free at once after kill -9 of it', async () => {
    const holder = await holdInAnotherProcess(directory);
    await expect(lockDataDirectory(directory)).rejects.toThrow('Another FlukeDeploy server');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    await (await lockDataDirectory(directory)).release();
  });

  it('lets exactly one of many in', async () => {
    const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataDirectory(directory)));
    const locks = attempts.filter((attempt) => attempt.status === 'fulfilled');
    expect(locks).toHaveLength(1);
    await locks[0]?.value.release();
  });

  it('holds although nobody keeps the answer', async () => {
    await lockDataDirectory(directory);
    collectGarbage();
    await expect(lockDataDirectory(directory)).rejects.toThrow(directory);
  });
});

describe('makeDirectory', () => {
  it('opens what it makes to the database user of root only, whatever the umask', async () => {
    const before = process.umask(0o077);
    await makeDirectory(join(directory, 'a', 'b')).finally(() => process.umask(before));
    for (const made of ['a', 'a/b'])
      expect((await stat(join(directory, made))).mode & 0o777).toBe(isRoot() ? 0o711 : 0o700);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });
});

describe('isReachableBy', () => {
  it('asks every directory on the way', async () => {
    const inner = join(directory, 'inner');
    await mkdir(inner);
    await chmod(inner, 0o711);
    expect(await isReachableBy(anotherUser, inner)).toBe(false);
    await chmod(directory, 0o711);
    expect(await isReachableBy(anotherUser, inner)).toBe(true);
    await chmod(inner, 0o710);
    expect(await isReachableBy(anotherUser, inner)).toBe(false);
    expect(await isReachableBy({ ...anotherUser, gid: (await stat(inner)).gid }, inner)).toBe(true);
  });
});

describe('socketDirectory', () => {
  it('stays in the directory when the path fits', async () => {
    expect(await socketDirectory(directory, 'a.sock')).toBe(directory);
  });

  it('finds the same closed directory each time when the path is too long, and a socket can be bound there', async () => {
    const long = join(directory, 'x'.repeat(100));
    const short = await socketDirectory(long, 'a.sock');
    try {
      expect(await socketDirectory(long, 'a.sock')).toBe(short);
      expect((await stat(short)).mode & 0o777).toBe(0o700);
      const server = createServer().listen(join(short, 'a.sock'));
      await once(server, 'listening');
      server.close();
    } finally {
      await rm(short, { recursive: true });
    }
  });

  it('does not use a directory that others can enter', async () => {
    const long = join(directory, 'y'.repeat(100));
    const short = await socketDirectory(long, 'a.sock');
    try {
      await chmod(short, 0o777);
      await expect(socketDirectory(long, 'a.sock')).rejects.toThrow(short);
    } finally {
      await rm(short, { recursive: true });
    }
  });
});

async function holdInAnotherProcess(data: string): Promise<ChildProcess> {
  const source = new URL('data-directory.ts', import.meta.url).href;
  const script = `
    const { lockDataDirectory } = await import(${JSON.stringify(source)});
    await lockDataDirectory(${JSON.stringify(data)});
    console.log('locked');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {},
  });
  children.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  expect(line.toString().trim()).toBe('locked');
  return child;
}
