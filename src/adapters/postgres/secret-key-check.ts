/** All processes on one database must seal secrets with one key: the first one leaves its mark, the others compare. */
import type { Secrets } from '../../domain/ports.js';
import type { Database } from './database.js';

/** @throws Error when the database's secrets were sealed with another key */
export async function checkSecretKey(database: Database, secrets: Secrets): Promise<void> {
  const mark = secrets.fingerprint('flukedeploy secret key');
  await database.query('update stream set key_check = $1 where key_check is null', [mark]);
  const rows = await database.query<{ key_check: string }>('select key_check from stream');
  if (rows[0]?.key_check !== mark) {
    throw new Error(
      'FLUKEDEPLOY_SECRET_KEY (or secret.key in DATA_DIR) is not the key this database was used with before.',
    );
  }
}
