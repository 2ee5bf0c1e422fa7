/** A real, empty PostgreSQL with the schema of the project, for one test file. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../src/adapters/postgres/database.js';
import { startPrivatePostgres } from '../../src/adapters/postgres/private-postgres.js';

export interface TestDatabase {
  readonly database: Database;
  /** Stops the server and removes its data. */
  stop(): Promise<void>;
}

export async function startTestDatabase(): Promise<TestDatabase> {
  const root = await mkdtemp(join(tmpdir(), 'flukedeploy-spec-'));
  // Root's PostgreSQL runs as another user, who must be able to pass.
  await chmod(root, 0o711);
  const server = await startPrivatePostgres({
    directory: join(root, 'postgres'),
    log: () => undefined,
    onFatal: (error) => {
      throw error;
    },
  });
  const database = new Database(server.url);
  await database.migrate();
  return {
    database,
    stop: async () => {
      await database.close();
      await server.stop();
      await rm(root, { recursive: true });
    },
  };
}
