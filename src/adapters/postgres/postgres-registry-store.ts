/** Registries in PostgreSQL. */
import { RegistryStore, type RegistryRecord } from '../../domain/ports.js';
import type { Database } from './database.js';

interface RegistryRow {
  name: string;
  url: string;
  username: string | null;
  password: string | null;
  default_push: boolean;
  created_at: Date;
}

export class PostgresRegistryStore extends RegistryStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async list(): Promise<RegistryRecord[]> {
    const rows = await this.database.query<RegistryRow>('select * from registries order by name');
    return rows.map(({ username, password, created_at, ...row }) => ({
      ...row,
      ...(username !== null && { username }),
      ...(password !== null && { password }),
      created_at: created_at.toISOString(),
    }));
  }

  override async put({ name, url, username, password, default_push, created_at }: RegistryRecord): Promise<void> {
    await this.database.transaction(async (client) => {
      // Two new defaults at once: the second one waits here, and takes the place of the first.
      await client.query('lock table registries in share row exclusive mode');
      if (default_push) await client.query('update registries set default_push = false where default_push');
      await client.query(
        `insert into registries (name, url, username, password, default_push, created_at) values ($1, $2, $3, $4, $5, $6)
         on conflict (name) do update set url = excluded.url, username = excluded.username, password = excluded.password,
           default_push = excluded.default_push, created_at = excluded.created_at`,
        [name, url, username ?? null, password ?? null, default_push, created_at],
      );
    });
  }

  override async remove(name: string): Promise<boolean> {
    return (await this.database.query('delete from registries where name = $1 returning name', [name])).length > 0;
  }
}
