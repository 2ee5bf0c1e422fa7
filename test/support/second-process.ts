/** Another process of a running installation, of the role api: it shares the stores and the data folder of the first. */
import { join } from 'node:path';
import { openDatabase } from './installation-database.js';
import { startProcess, type RunningServer, type TestInstallation } from './server-process.js';

/** @param secretKey FLUKEDEPLOY_SECRET_KEY of the installation */
export async function startSecondApi({ directory }: TestInstallation, secretKey: string): Promise<RunningServer> {
  const database = await openDatabase(directory);
  await database.close();
  return startProcess({
    FLUKEDEPLOY_ROLE: 'api',
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${join(directory, 'redis', 'redis.sock')}`,
    DATA_DIR: directory,
    FLUKEDEPLOY_SECRET_KEY: secretKey,
  });
}
