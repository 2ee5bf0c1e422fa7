/** Everything that requests and deployments could leave behind: on disk, in PostgreSQL, in Redis and in Docker. */
import { readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { socketDirectory } from '../../src/adapters/process/data-directory.js';
import { connectRedis } from '../../src/adapters/redis/redis-connection.js';
import { openDatabase } from './installation-database.js';
import type { TestInstallation } from './server-process.js';
import { SwarmState } from './swarm-state.js';

export interface Leftovers {
  readonly uploads: readonly string[];
  /** Uploads that the server still has open, removed ones included. */
  readonly open_uploads: readonly string[];
  readonly workspaces: readonly string[];
  readonly archive_pieces: number;
  /** Keys of BullMQ beyond those that a queue without jobs has. */
  readonly jobs: readonly string[];
  readonly services: readonly string[];
  readonly containers: readonly string[];
  readonly images: readonly string[];
}

export const NOTHING_LEFT: Leftovers = {
  uploads: [],
  open_uploads: [],
  workspaces: [],
  archive_pieces: 0,
  jobs: [],
  services: [],
  containers: [],
  images: [],
};

const KEYS_OF_AN_EMPTY_QUEUE = /:(meta|id|events|stalled-check|marker)$/;

/** @param prefix with which the names of the test's apps begin */
export async function leftovers({ directory, server }: TestInstallation, prefix: string): Promise<Leftovers> {
  const swarm = new SwarmState(prefix);
  return {
    uploads: await names(join(directory, 'uploads')),
    open_uploads: await openFiles(server.process.pid, join(directory, 'uploads')),
    workspaces: await names(join(directory, 'workspaces')),
    archive_pieces: await archivePieces(directory),
    jobs: await jobs(directory),
    services: await services(prefix),
    containers: await swarm.containers(),
    images: await swarm.images(),
  };
}

/** A folder that was never needed is as good as an empty one. */
const names = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

async function openFiles(pid: number | undefined, folder: string): Promise<string[]> {
  const descriptors = `/proc/${String(pid)}/fd`;
  // A descriptor may be closed between the two looks.
  const targets = (await readdir(descriptors)).map((name) => readlink(join(descriptors, name)).catch(() => ''));
  return (await Promise.all(targets)).filter((target) => target.startsWith(folder));
}

async function archivePieces(directory: string): Promise<number> {
  const database = await openDatabase(directory);
  try {
    return (await database.query('select 1 from archive_pieces')).length;
  } finally {
    await database.close();
  }
}

async function jobs(directory: string): Promise<string[]> {
  const socket = 'redis.sock';
  const folder = await socketDirectory(join(directory, 'redis'), socket);
  const redis = connectRedis(join(folder, socket), 'patient', () => undefined);
  try {
    return (await redis.keys('*')).filter((key) => !KEYS_OF_AN_EMPTY_QUEUE.test(key));
  } finally {
    redis.disconnect();
  }
}

async function services(prefix: string): Promise<string[]> {
  const docker = await new DockerClient().calls();
  return (await docker.listServices()).map(({ Spec }) => Spec?.Name ?? '').filter((name) => name.startsWith(prefix));
}
