/** What the private PostgreSQL and the private Redis promise alike; both are real here, and so are the deaths. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Redis } from 'ioredis';
import pg from 'pg';
import { argumentsFor } from '../../../test/support/plain-node.js';
import { startPrivatePostgres } from '../postgres/private-postgres.js';
import { startPrivateRedis } from '../redis/private-redis.js';
import { exists, hasCode } from './data-directory.js';
import { type PrivateServer, type PrivateServerOptions, SupervisedChild } from './supervised-child.js';

jest.setTimeout(60_000);

const servers = [
  {
    name: 'PostgreSQL',
    start: startPrivatePostgres,
    pidFile: 'cluster/postmaster.pid',
    source: '../postgres/private-postgres.ts',
    write: writeRow,
    read: readRow,
  },
  {
    name: 'Redis',
    start: startPrivateRedis,
    pidFile: 'redis.pid',
    source: '../redis/private-redis.ts',
    write: writeKey,
    read: readKey,
  },
];

let root: string;
let directory: string;
let lines: string[];
let fatal: Error[];
const toStop: PrivateServer[] = [];
const toKill: number[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'flukedeploy-spec-')));
  await chmod(root, 0o711);
  directory = join(root, 'data');
  lines = [];
  fatal = [];
});

afterEach(async () => {
  const stopped = await Promise.allSettled(toStop.splice(0).map((server) => server.stop()));
  for (const pid of toKill.splice(0)) killIfRunning(pid);
  await rm(root, { recursive: true });
  expect(stopped.filter(({ status }) => status === 'rejected')).toEqual([]);
});

describe.each(servers)('private $name', ({ name, start, pidFile, source, write, read }) => {
  const startHere = async (): Promise<PrivateServer> => {
    const server = await start(options());
    toStop.push(server);
    return server;
  };
  const pid = async (): Promise<number> => {
    const found = Number.parseInt(await readFile(join(directory, pidFile), 'utf8'), 10);
    toKill.push(found);
    return found;
  };

  it('keeps its data from one start to the next, and stop leaves no process behind', async () => {
    const first = await startHere();
    await write(first.url, 'kept');
    const firstPid = await pid();
    await Promise.all([first.stop(), first.stop()]);
    await until(() => !isRunning(firstPid));

    const second = await startHere();
    expect(await read(second.url)).toBe('kept');
    expect(lines).toEqual([]);
    expect(fatal).toEqual([]);
  });

  it('comes back after kill -9 with every acknowledged write', async () => {
    const server = await startHere();
    await write(server.url, 'acknowledged');
    const killed = await pid();
    process.kill(killed, 'SIGKILL');
    await until(() => lines.includes(`${name} answers again`));
    expect(await read(server.url)).toBe('acknowledged');
    expect(await pid()).not.toBe(killed);
  });

  it('is adopted after kill -9 of the process that started it, and supervised from then on', async () => {
    const { child, url } = await startInAnotherProcess(source, start.name);
    const before = await pid();
    await write(url, 'adopted');
    child.kill('SIGKILL');
    await once(child, 'exit');

    const server = await startHere();
    expect(server.url).toBe(url);
    expect(await pid()).toBe(before);
    expect(await read(server.url)).toBe('adopted');

    process.kill(before, 'SIGKILL');
    await until(() => lines.includes(`${name} answers again`));
    expect(await read(server.url)).toBe('adopted');
    const after = await pid();
    await server.stop();
    await until(() => !isRunning(after));
  });

  it('waits for a process from before that does not answer yet, and never runs two on the same data', async () => {
    const { child, url } = await startInAnotherProcess(source, start.name);
    const before = await pid();
    await write(url, 'one');
    process.kill(before, 'SIGSTOP');
    child.kill('SIGKILL');
    await once(child, 'exit');

    const starting = startHere();
    await until(() => lines.some((line) => line.includes('still runs from before')));
    process.kill(before, 'SIGCONT');
    expect(await read((await starting).url)).toBe('one');
    expect(await pid()).toBe(before);
  });

  it('works where the path is too long for a socket and has odd characters', async () => {
    directory = join(root, `a "deep" directory, 100 %`, 'x'.repeat(60), 'y'.repeat(60));
    const server = await startHere();
    await write(server.url, 'deep');
    expect(await read(server.url)).toBe('deep');
    const sockets = name === 'Redis' ? dirname(server.url) : (new URL(server.url).searchParams.get('host') ?? '');
    expect(sockets.startsWith(tmpdir())).toBe(true);
    await server.stop();
    await rm(sockets, { recursive: true });
  });

  it('keeps its log file bounded', async () => {
    await (await startHere()).stop();
    const logFile = join(directory, name === 'Redis' ? 'redis.log' : 'postgres.log');
    await writeFile(logFile, Buffer.alloc(11 * 1024 * 1024, 'x'));
    await startHere();
    expect((await stat(logFile)).size).toBeLessThan(1024 * 1024);
  });
});

describe('SupervisedChild', () => {
  it('gives up on a server that dies again and again, and says so once', async () => {
    const server = await startPrivateRedis(options());
    toStop.push(server);
    for (let last = 0; fatal.length === 0;) {
      const pid = Number.parseInt(await readFile(join(directory, 'redis.pid'), 'utf8'), 10);
      // The file is empty for a moment while Redis writes it.
      if (pid > 0 && pid !== last && isRunning(pid)) process.kill(pid, 'SIGKILL');
      last = pid;
      await delay(20);
    }
    expect(fatal).toHaveLength(1);
    expect(fatal[0]?.message).toContain('Redis ended again after 5 restarts within a minute');
  });

  it('rejects the start of a program that cannot run, with the end of its log', async () => {
    const program = {
      name: 'Sample',
      file: process.execPath,
      args: ['--eval', 'console.error("disk is on fire"); process.exit(1)'],
      directory: root,
      pidFile: join(root, 'pid'),
      logFile: join(root, 'log'),
      probe: () => Promise.reject(new Error('no answer')),
      stopSignals: [],
    };
    await expect(SupervisedChild.start(program, options())).rejects.toThrow('disk is on fire');
    await expect(SupervisedChild.start({ ...program, file: '/nowhere' }, options())).rejects.toThrow('ENOENT');
  });

  it('leaves alone a process that only has the number in the pid file', async () => {
    const stranger = spawn('sleep', ['1000'], { cwd: '/' });
    await once(stranger, 'spawn');
    const server = await startPrivateRedis(options());
    await server.stop();
    await writeFile(join(directory, 'redis.pid'), `${String(stranger.pid)}\n`);
    const again = await startPrivateRedis(options());
    await again.stop();
    expect(stranger.exitCode).toBeNull();
    expect(stranger.kill('SIGKILL')).toBe(true);
    expect(await exists(join(directory, 'redis.sock'))).toBe(false);
  });
});

function options(): PrivateServerOptions {
  return { directory, log: (line) => lines.push(line), onFatal: (error) => fatal.push(error) };
}

/** Runs `start` in a Node process that can be killed. */
async function startInAnotherProcess(source: string, start: string): Promise<{ child: ChildProcess; url: string }> {
  const script = `
    const { ${start} } = await import(${JSON.stringify(new URL(source, import.meta.url).href)});
    const server = await ${start}({ directory: ${JSON.stringify(directory)}, log: console.error, onFatal: console.error });
    console.log(server.url);`;
  const child = spawn(process.execPath, argumentsFor(script), { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.pid !== undefined) toKill.push(child.pid);
  const [url] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  return { child, url: String(url).trim() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20);
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return false;
    throw error;
  }
}

function killIfRunning(pid: number): void {
  if (isRunning(pid)) process.kill(pid, 'SIGKILL');
}

async function writeRow(url: string, value: string): Promise<void> {
  await inDatabase(url, 'CREATE TABLE IF NOT EXISTS sample (value text)');
  await inDatabase(url, 'INSERT INTO sample VALUES ($1)', [value]);
}

async function readRow(url: string): Promise<unknown> {
  const rows = await inDatabase(url, 'SELECT value FROM sample');
  return rows[0]?.['value'];
}

async function inDatabase(url: string, sql: string, values: string[] = []): Promise<Record<string, unknown>[]> {
  const pool = new pg.Pool({ connectionString: url });
  // The server may end while its connection is still being closed.
  pool.on('error', () => undefined);
  try {
    return (await pool.query<Record<string, unknown>>(sql, values)).rows;
  } finally {
    await pool.end();
  }
}

async function writeKey(url: string, value: string): Promise<void> {
  const redis = new Redis(url);
  await redis.set('sample', value).finally(() => redis.disconnect());
}

async function readKey(url: string): Promise<unknown> {
  const redis = new Redis(url);
  return redis.get('sample').finally(() => redis.disconnect());
}
