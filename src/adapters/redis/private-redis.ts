/** Runs a Redis (or Valkey) of our own where REDIS_URL is not set: durable, never evicting, on a unix socket only. */
import { execFile } from 'node:child_process';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { hasCode, socketDirectory } from '../process/data-directory.js';
import { type PrivateServer, type PrivateServerOptions, SupervisedChild } from '../process/supervised-child.js';

const PROGRAMS = ['redis-server', 'valkey-server'];
const SOCKET = 'redis.sock';
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Starts the server, or adopts the one that a killed FlukeDeploy left behind, and keeps it running.
 * The url is the path of its socket, which `new Redis(url)` takes as it is.
 */
export async function startPrivateRedis(options: PrivateServerOptions): Promise<PrivateServer> {
  // Redis makes its files readable for everybody, so nobody else may pass.
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
  const directory = await realpath(options.directory);
  const socket = join(await socketDirectory(directory, SOCKET), SOCKET);
  const pidFile = join(directory, 'redis.pid');
  const server = await SupervisedChild.start(
    {
      name: 'Redis',
      file: await installedProgram(),
      args: redisArguments(directory, socket, pidFile),
      directory,
      pidFile,
      logFile: join(directory, 'redis.log'),
      probe: () => ping(socket),
      stopSignals: [
        { signal: 'SIGTERM', waitMs: 30_000 },
        { signal: 'SIGKILL', waitMs: 5_000 },
      ],
    },
    options,
  );
  return { url: socket, stop: () => server.stop() };
}

/** Every write reaches the append-only file within a second, so snapshots are off; a full memory refuses instead of forgetting. */
function redisArguments(directory: string, socket: string, pidFile: string): string[] {
  const settings = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir: directory,
    pidfile: pidFile,
    daemonize: 'no',
    appendonly: 'yes',
    appendfsync: 'everysec',
    save: '',
    'maxmemory-policy': 'noeviction',
  };
  return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
}

/** @throws Error when neither program is on the PATH */
async function installedProgram(): Promise<string> {
  for (const program of PROGRAMS) {
    try {
      await promisify(execFile)(program, ['--version']);
      return program;
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) throw error;
    }
  }
  throw new Error(
    `Neither ${PROGRAMS.join(' nor ')} is installed. Install one (apt-get install redis-server), or set REDIS_URL.`,
  );
}

async function ping(socket: string): Promise<void> {
  const once = { lazyConnect: true, enableReadyCheck: false, retryStrategy: () => null };
  const redis = new Redis(socket, { ...once, connectTimeout: PROBE_TIMEOUT_MS, commandTimeout: PROBE_TIMEOUT_MS });
  // The same error rejects the call below; without a listener ioredis prints it as well.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    await redis.ping();
  } finally {
    // After a failed connect ioredis would wait two seconds for a socket that is closed already.
    if (redis.status !== 'end') redis.disconnect();
  }
}
