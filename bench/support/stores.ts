/** A PostgreSQL and a Redis as FlukeDeploy runs them by default, alone on this machine, gone with the benchmark. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Database as DatabaseType } from '../../src/adapters/postgres/database.js';
import type { Patience } from '../../src/adapters/redis/redis-connection.js';
import { connectRedis, Database, startPrivatePostgres, startPrivateRedis } from './built.ts';

export interface Stores {
  readonly root: string;
  readonly database: DatabaseType;
  /** What a server process needs to share them. */
  readonly environment: Readonly<Record<'DATABASE_URL' | 'REDIS_URL', string>>;
  redis(patience: Patience): Redis;
}

export async function startStores(scope: AsyncDisposableStack): Promise<Stores> {
  const root = await temporaryFolder(scope);
  const options = (name: string) => ({
    directory: join(root, name),
    log: () => undefined,
    onFatal: (error: Error) => {
      throw error;
    },
  });
  const postgres = await startPrivatePostgres(options('postgres'));
  scope.defer(() => postgres.stop());
  const redis = await startPrivateRedis(options('redis'));
  scope.defer(() => redis.stop());

  const database = new Database(postgres.url);
  scope.defer(() => database.close());
  await database.migrate();
  return {
    root,
    database,
    environment: { DATABASE_URL: postgres.url, REDIS_URL: `unix://${redis.url}` },
    redis(patience) {
      const connection = connectRedis(redis.url, patience, (line) => console.warn(line));
      scope.defer(() => connection.disconnect());
      return connection;
    },
  };
}

export async function temporaryFolder(scope: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'flukedeploy-bench-'));
  scope.defer(() => rm(folder, { recursive: true, force: true }));
  // Root's PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
  return folder;
}
