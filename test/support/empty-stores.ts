/** A fresh start between two tests on one database. */
import type { Database } from '../../src/adapters/postgres/database.js';

/** No deployments, no apps, and a stream that begins at 1 again. */
export async function emptyStores(database: Database): Promise<void> {
  await database.query('truncate deployments, apps, releases, traffic, domains cascade');
  await database.query(`update stream set head = 0, floor = 0, last_at = '-infinity'`);
}
