/** The built program's own classes, for benchmarks that drive a part of it: code from dist/, types from src/. */
import 'reflect-metadata';

async function load<Exports>(path: string): Promise<Exports> {
  return (await import(new URL(`../../dist/${path}`, import.meta.url).href)) as Exports;
}

export const { AppModule } = await load<typeof import('../../src/app.module.js')>('app.module.js');
export const { readConfig } = await load<typeof import('../../src/config.js')>('config.js');
export const { openInfrastructure } = await load<typeof import('../../src/infrastructure.js')>('infrastructure.js');
export const { Database } = await load<typeof import('../../src/adapters/postgres/database.js')>(
  'adapters/postgres/database.js',
);
export const { PostgresDeploymentStore } = await load<
  typeof import('../../src/adapters/postgres/postgres-deployment-store.js')
>('adapters/postgres/postgres-deployment-store.js');
export const { PostgresLogStore } = await load<typeof import('../../src/adapters/postgres/postgres-log-store.js')>(
  'adapters/postgres/postgres-log-store.js',
);
export const { PostgresPhaseClaims } = await load<
  typeof import('../../src/adapters/postgres/postgres-phase-claims.js')
>('adapters/postgres/postgres-phase-claims.js');
export const { startPrivatePostgres } = await load<typeof import('../../src/adapters/postgres/private-postgres.js')>(
  'adapters/postgres/private-postgres.js',
);
export const { startPrivateRedis } = await load<typeof import('../../src/adapters/redis/private-redis.js')>(
  'adapters/redis/private-redis.js',
);
export const { connectRedis } = await load<typeof import('../../src/adapters/redis/redis-connection.js')>(
  'adapters/redis/redis-connection.js',
);
export const { RedisWakeups } = await load<typeof import('../../src/adapters/redis/redis-wakeups.js')>(
  'adapters/redis/redis-wakeups.js',
);
export const { createDeploymentLog, FlukeDeployEventType, toEntry } =
  await load<typeof import('../../src/domain/log-entry.js')>('domain/log-entry.js');
export const { PHASES, isFinal } = await load<typeof import('../../src/domain/phases.js')>('domain/phases.js');
export const { LogHub } = await load<typeof import('../../src/modules/logs/index.js')>('modules/logs/index.js');
export const { DeploymentsService } =
  await load<typeof import('../../src/modules/deployments/index.js')>('modules/deployments/index.js');
export const { PhaseHandler, PhaseHandlers } = await load<
  typeof import('../../src/modules/deployments/phase-handler.js')
>('modules/deployments/phase-handler.js');
export const { HookRunner } = await load<typeof import('../../src/modules/deployments/hooks/hook-runner.js')>(
  'modules/deployments/hooks/hook-runner.js',
);
export const { NO_SERVER_PLUGINS, Plugins } =
  await load<typeof import('../../src/modules/plugins/index.js')>('modules/plugins/index.js');
export const { inProcessPlugin } =
  await load<typeof import('../../src/plugin/in-process-plugin.js')>('plugin/in-process-plugin.js');
