/** Opens everything outside the process, in order, and closes it in the reverse: stores, Redis, Docker, keys. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { loadSecretKey } from './adapters/crypto/secret-key.js';
import { AesGcmSecrets } from './adapters/crypto/aes-gcm-secrets.js';
import { DockerClient } from './adapters/docker/docker-client.js';
import { Database } from './adapters/postgres/database.js';
import { startPrivatePostgres } from './adapters/postgres/private-postgres.js';
import { checkSecretKey } from './adapters/postgres/secret-key-check.js';
import { loadExternalPlugins } from './adapters/plugin-host/external-plugins.js';
import { lockDataDirectory } from './adapters/process/data-directory.js';
import type { PrivateServer, PrivateServerOptions } from './adapters/process/supervised-child.js';
import { startPrivateRedis } from './adapters/redis/private-redis.js';
import { connectRedis, type RedisConnection } from './adapters/redis/redis-connection.js';
import type { Config } from './config.js';
import type { Plugin } from './domain/plugin.js';
import type { Secrets } from './domain/ports.js';

export interface Infrastructure {
  readonly database: Database;
  readonly redis: {
    readonly commands: RedisConnection;
    readonly subscriptions: RedisConnection;
    readonly queue: RedisConnection;
    readonly worker: RedisConnection;
  };
  readonly docker: DockerClient;
  /** Tells this installation's Docker objects from those of others. */
  readonly installation: string;
  readonly secrets: Secrets;
  /** PEM of whom the certificate authority's own HTTPS is signed by, beside the public ones. */
  readonly acmeAuthorities: string | undefined;
  /** The same for FlukeBase. */
  readonly flukebaseAuthorities: string | undefined;
  /** Those that FLUKEDEPLOY_PLUGINS names. */
  readonly externalPlugins: readonly Plugin[];
  /** Text of the file that FLUKEDEPLOY_PLUGIN_CONFIG names. */
  readonly pluginConfig: string | undefined;
  close(): Promise<void>;
}

export async function openInfrastructure(config: Config): Promise<Infrastructure> {
  const closing: (() => Promise<unknown>)[] = [];
  const close = async (): Promise<void> => {
    const outcomes = [];
    for (const step of closing.splice(0).reverse()) outcomes.push(await Promise.allSettled([step()]));
    throwFirst(outcomes.flat());
  };
  try {
    return { ...(await open(config, (step) => closing.push(step))), close };
  } catch (error) {
    // What could not be closed is the lesser trouble now.
    await close().catch(() => undefined);
    throw error;
  }
}

async function open(
  config: Config,
  atClose: (step: () => Promise<unknown>) => void,
): Promise<Omit<Infrastructure, 'close'>> {
  // First, as nothing has to be closed again when one of them is broken.
  const externalPlugins = await loadExternalPlugins(config.FLUKEDEPLOY_PLUGINS, {
    workingFolder: process.cwd(),
    dataFolder: config.DATA_DIR,
  });
  const lock = await lockFor(config);
  atClose(() => lock.release());

  const privately = async (
    name: string,
    start: (options: PrivateServerOptions) => Promise<PrivateServer>,
  ): Promise<string> => {
    const logger = new Logger(name);
    const server = await start({
      directory: join(config.DATA_DIR, name.toLowerCase()),
      log: (line) => logger.log(line),
      onFatal: (error) => {
        logger.fatal(error.message);
        process.exitCode = 1;
        process.kill(process.pid, 'SIGTERM');
      },
    });
    atClose(() => server.stop());
    return server.url;
  };
  // Both to their end, so that whatever has been started is also closed.
  const urls = await Promise.allSettled([
    config.DATABASE_URL ?? privately('Postgres', startPrivatePostgres),
    config.REDIS_URL ?? privately('Redis', startPrivateRedis),
  ]);
  const [databaseUrl = '', redisUrl = ''] = throwFirst(urls);

  const database = new Database(databaseUrl);
  atClose(() => database.close());
  await database.migrate();
  const key = await loadSecretKey({
    fromEnvironment: config.FLUKEDEPLOY_SECRET_KEY,
    file: join(config.DATA_DIR, 'secret.key'),
  });
  const secrets = new AesGcmSecrets(key);
  await checkSecretKey(database, secrets);

  const logger = new Logger('Redis');
  const told = (line: string): void => logger.warn(line);
  const quiet = (): void => undefined;
  const redis = {
    commands: connectRedis(redisUrl, 'impatient', told),
    subscriptions: connectRedis(redisUrl, 'patient', quiet),
    queue: connectRedis(redisUrl, 'impatient', quiet),
    worker: connectRedis(redisUrl, 'patient', quiet),
  };
  for (const connection of Object.values(redis)) {
    atClose(() => {
      connection.disconnect();
      return Promise.resolve();
    });
  }
  const docker = new DockerClient(config.DOCKER_HOST);
  const [acmeAuthorities, flukebaseAuthorities, pluginConfig] = await Promise.all([
    textOf(config.ACME_CA_FILE, 'ACME_CA_FILE'),
    textOf(config.FLUKEBASE_CA_FILE, 'FLUKEBASE_CA_FILE'),
    textOf(config.FLUKEDEPLOY_PLUGIN_CONFIG, 'FLUKEDEPLOY_PLUGIN_CONFIG'),
  ]);
  const installation = await database.installation();
  const authorities = { acmeAuthorities, flukebaseAuthorities };
  return { database, redis, docker, installation, secrets, ...authorities, externalPlugins, pluginConfig };
}

/** @throws Error that names the variable where its file cannot be read */
async function textOf(file: string | undefined, variable: string): Promise<string | undefined> {
  try {
    return file === undefined ? undefined : await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`${variable}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Several processes of the roles api and worker may share a folder; private servers belong to one. */
async function lockFor({ FLUKEDEPLOY_ROLE, DATA_DIR }: Config): Promise<{ release(): Promise<void> }> {
  return FLUKEDEPLOY_ROLE === 'all' ? lockDataDirectory(DATA_DIR) : { release: () => Promise.resolve() };
}

function throwFirst<Value>(outcomes: readonly PromiseSettledResult<Value>[]): Value[] {
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason;
    return outcome.value;
  });
}
