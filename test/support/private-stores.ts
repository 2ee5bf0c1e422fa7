/** PostgreSQL and Redis of a test's own, in its folder, for servers that must share them. */
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { startPrivatePostgres } from '../../src/adapters/postgres/private-postgres.js';
import type { PrivateServer } from '../../src/adapters/process/supervised-child.js';
import { startPrivateRedis } from '../../src/adapters/redis/private-redis.js';

/** @returns PostgreSQL, Redis */
export async function startPrivateStores(root: string): Promise<[PrivateServer, PrivateServer]> {
  // The database's user must get through.
  await chmod(root, 0o711);
  const options = (name: string) => ({
    directory: join(root, name),
    log: () => undefined,
    onFatal: (error: Error) => {
      throw error;
    },
  });
  return Promise.all([startPrivatePostgres(options('postgres')), startPrivateRedis(options('redis'))]);
}
