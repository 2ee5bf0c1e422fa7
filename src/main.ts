/** Starts FlukeDeploy in the role that the environment asks for, and stops it without losing work. */
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { readConfig, type Config } from './config.js';
import { AuditTrail, CredentialStore } from './domain/ports.js';
import { setUpHttp } from './gateways/http/http-server.js';
import { LogStreamAdapter } from './gateways/log-stream/log-stream.adapter.js';
import { openInfrastructure } from './infrastructure.js';
import { establishAdminPassword } from './modules/auth/index.js';
import { Captain } from './modules/edge/index.js';
import { Plugins } from './modules/plugins/index.js';
import { ServerLog } from './server-log.js';

Logger.overrideLogger(new ServerLog());
const logger = new Logger('FlukeDeploy');

async function start(config: Config): Promise<void> {
  const infrastructure = await openInfrastructure(config);
  const opened: { close(): Promise<unknown> }[] = [infrastructure];
  try {
    const app = await NestFactory.create<NestExpressApplication>(AppModule.for(config, infrastructure), {
      bodyParser: false,
      abortOnError: false,
    });
    opened.unshift(app);
    await app.get(Plugins).checkServer();
    setUpHttp(app);
    app.useWebSocketAdapter(new LogStreamAdapter(app));
    stopOnSignal(opened);
    await tellPassword(app.get(CredentialStore), app.get(AuditTrail), config);
    // A worker answers health checks on its own machine and nobody else.
    await app.listen(config.PORT, config.FLUKEDEPLOY_ROLE === 'worker' ? '127.0.0.1' : config.HOST);
    const url = await app.getUrl();
    logger.log(`Role ${config.FLUKEDEPLOY_ROLE}, API on ${url}`);
    if (config.FLUKEDEPLOY_ROLE !== 'worker') {
      await app
        .get(Captain)
        .listens(Number(new URL(url).port))
        .catch((error: unknown) => logger.warn(error));
    }
  } catch (error) {
    await closeAll(opened).catch((failure: unknown) => logger.error(failure));
    throw error;
  }
}

async function closeAll(opened: readonly { close(): Promise<unknown> }[]): Promise<void> {
  for (const part of opened) await part.close();
}

async function tellPassword(store: CredentialStore, trail: AuditTrail, config: Config): Promise<void> {
  if (config.FLUKEDEPLOY_ROLE === 'worker') return;
  const place = await establishAdminPassword(store, trail, {
    given: config.FLUKEDEPLOY_ADMIN_PASSWORD,
    dataDirectory: config.DATA_DIR,
  });
  if (place.kept === 'file') logger.log(`The admin password is kept in ${place.file}`);
}

/** Once: a second signal while stopping changes nothing, a third party's kill -9 is what recovery is for. */
function stopOnSignal(opened: readonly { close(): Promise<unknown> }[]): void {
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      logger.log(`${signal}: handing over and stopping`);
      closeAll(opened).then(
        () => process.exit(),
        (error: unknown) => {
          logger.error(error);
          process.exit(1);
        },
      );
    });
  }
}

try {
  await start(readConfig());
} catch (error) {
  logger.fatal(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
