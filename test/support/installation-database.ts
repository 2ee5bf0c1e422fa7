/** The private PostgreSQL of a running installation, opened past FlukeDeploy: what is really stored. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from '../../src/adapters/postgres/database.js';

/** The server must run; the caller closes the connection. */
export async function openDatabase(dataDirectory: string): Promise<Database> {
  const pidFile = await readFile(join(dataDirectory, 'postgres', 'cluster', 'postmaster.pid'), 'utf8');
  const [, , , port = '', socket = ''] = pidFile.split('\n');
  return new Database(`postgresql:///flukedeploy?host=${encodeURIComponent(socket)}&port=${port}&user=flukedeploy`);
}

/** Every value of every column of every table as text, so that nothing can hide in a column that nobody thought of. */
export async function everythingStored(database: Database): Promise<{ table: string; row: string }[]> {
  const tables = await database.query<{ name: string }>(
    `select quote_ident(table_name) as name from information_schema.tables where table_schema = 'public'`,
  );
  const contents = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await database.query<{ row: string }>(`select ${name}::text as row from ${name}`);
      return rows.map(({ row }) => ({ table: name, row }));
    }),
  );
  return contents.flat();
}
