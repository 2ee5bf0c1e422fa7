import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, mkdtemp, readFile, readdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { exists, isRoot, shortHash } from '../process/data-directory.js';
import type { PrivateServer } from '../process/supervised-child.js';
import { startPrivatePostgres } from './private-postgres.js';

jest.setTimeout(60_000);

const asRoot = isRoot() ? it : it.skip;
let root: string;
let directory: string;
let lines: string[];
const servers: PrivateServer[] = [];
const strangers: ChildProcess[] = [];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'flukedeploy-spec-')));
  await chmod(root, 0o711);
  directory = join(root, 'postgres');
  lines = [];
});

afterEach(async () => {
  for (const stranger of strangers.splice(0)) stranger.kill('SIGKILL');
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await rm(root, { recursive: true });
});

describe('private PostgreSQL', () => {
  it('is durable, speaks UTF-8 in locale C and listens on no port', async () => {
    const server = await start();
    expect(await settingsOf(server)).toEqual({
      fsync: 'on',
      synchronous_commit: 'on',
      listen_addresses: '',
      max_connections: '100',
      server_encoding: 'UTF8',
      lc_collate: 'C',
      TimeZone: 'UTC',
    });
    expect((await stat(join(directory, 'cluster'))).mode & 0o777).toBe(0o700);
  });

  it('starts after a set-up that was cut short', async () => {
    await mkdir(join(directory, 'cluster-unfinished-abc123', 'base'), { recursive: true });
    await writeFile(join(directory, 'cluster-unfinished-abc123', 'PG_VERSION'), '18\n');
    await chmod(directory, 0o711);
    await start();
    expect((await readdir(directory)).sort()).toEqual(['cluster', 'postgres.log']);
  });

  it('makes the database when the start was cut short before it', async () => {
    const server = await start();
    await query(server.url.replace('/flukedeploy?', '/postgres?'), 'DROP DATABASE flukedeploy');
    await server.stop();
    expect(await query((await start()).url, 'SELECT current_database() AS name')).toEqual([{ name: 'flukedeploy' }]);
  });

  it('starts although the pid in its old pid file now belongs to another process of its user', async () => {
    const first = await start();
    const pidFile = join(directory, 'cluster', 'postmaster.pid');
    const text = await readFile(pidFile, 'utf8');
    await first.stop();

    const { uid, gid } = await stat(join(directory, 'cluster'));
    const stranger = spawn('sleep', ['1000'], { cwd: '/', ...(isRoot() && { uid, gid }) });
    strangers.push(stranger);
    await once(stranger, 'spawn');
    await writeFile(pidFile, text.replace(/^\d+/, String(stranger.pid)));
    await chown(pidFile, uid, gid);

    await start();
    expect(stranger.exitCode).toBeNull();
    expect(lines).toEqual([]);
  });

  asRoot('puts the data where its user can reach them, and finds them there again', async () => {
    await chmod(root, 0o700);
    const elsewhere = join('/var/lib/flukedeploy', shortHash(directory));
    try {
      const first = await start();
      expect(lines).toEqual([expect.stringContaining(elsewhere)]);
      expect(await exists(join(elsewhere, 'cluster'))).toBe(true);
      await query(first.url, 'CREATE TABLE kept ()');
      await first.stop();

      await chmod(root, 0o711);
      expect(await query((await start()).url, 'SELECT FROM kept')).toEqual([]);
    } finally {
      await servers.at(-1)?.stop();
      await rm(elsewhere, { recursive: true });
    }
  });

  asRoot('refuses to hide existing data behind an empty database when they became unreachable', async () => {
    await (await start()).stop();
    await chmod(root, 0o700);
    await expect(start()).rejects.toThrow('chmod o+x');
  });
});

async function start(): Promise<PrivateServer> {
  const server = await startPrivatePostgres({
    directory,
    log: (line) => lines.push(line),
    onFatal: (error) => lines.push(error.message),
  });
  servers.push(server);
  return server;
}

async function settingsOf(server: PrivateServer): Promise<Record<string, unknown>> {
  const rows = await query(
    server.url,
    `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'listen_addresses', 'max_connections', 'server_encoding', 'TimeZone')
     UNION ALL SELECT 'lc_collate', datcollate FROM pg_database WHERE datname = current_database()`,
  );
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting])) as Record<string, unknown>;
}

async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const pool = new pg.Pool({ connectionString: url });
  try {
    return (await pool.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await pool.end();
  }
}
