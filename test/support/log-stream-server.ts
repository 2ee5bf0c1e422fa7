/** The real log stream in a real Nest application on a free port, over a log in memory. */
import { Module, type DynamicModule, type INestApplication, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DeploymentStore, LogStore, Wakeups } from '../../src/domain/ports.js';
import { LogStreamAdapter } from '../../src/gateways/log-stream/log-stream.adapter.js';
import { LogStreamModule } from '../../src/gateways/log-stream/log-stream.module.js';
import { LogStreamOptions } from '../../src/gateways/log-stream/log-stream.options.js';
import { LogStreamServer } from '../../src/gateways/log-stream/log-stream.server.js';
import { StreamAuthenticator } from '../../src/gateways/log-stream/stream-authenticator.js';
import { Auditor } from '../../src/modules/audit/index.js';
import { LogHub } from '../../src/modules/logs/log-hub.js';
import { DeploymentScript } from './deployment-script.js';
import { MemoryAuditTrail } from './memory-audit-trail.js';
import { MemoryLogStore } from './memory-log-store.js';
import { MemoryWakeups } from './memory-wakeups.js';

export interface RunningLogStream {
  readonly app: INestApplication;
  readonly store: MemoryLogStore;
  readonly trail: MemoryAuditTrail;
  readonly url: string;
  /** A deployment that has been requested. */
  deployment(id: string, appName?: string): Promise<DeploymentScript>;
}

export interface LogStreamSetup {
  readonly options?: Partial<LogStreamOptions>;
  readonly authenticator?: StreamAuthenticator;
  readonly store?: MemoryLogStore;
  readonly logger?: LoggerService;
}

@Module({})
class Parts {}

export async function startLogStream(setup: LogStreamSetup = {}): Promise<RunningLogStream> {
  const { authenticator, store = new MemoryLogStore() } = setup;
  const wakeups = new MemoryWakeups();
  const trail = new MemoryAuditTrail();
  const parts = [
    { provide: Auditor, useValue: new Auditor(trail) },
    { provide: LogStore, useValue: store },
    { provide: DeploymentStore, useValue: store },
    { provide: Wakeups, useValue: wakeups },
    { provide: LogStreamOptions, useValue: new LogStreamOptions({ port: 0, ...setup.options }) },
    ...(authenticator ? [{ provide: StreamAuthenticator, useValue: authenticator }] : []),
  ];
  const module: DynamicModule = {
    module: Parts,
    providers: [LogHub, ...parts],
    exports: [LogHub, ...parts.map(({ provide }) => provide)],
  };
  const app = await NestFactory.create(LogStreamModule.register([module]), {
    logger: setup.logger ?? false,
    abortOnError: false,
  });
  app.useWebSocketAdapter(new LogStreamAdapter(app));
  try {
    await app.init();
  } catch (error) {
    await app.close();
    throw error;
  }
  return {
    app,
    store,
    trail,
    url: app.get(LogStreamServer).url,
    deployment: async (id, appName) => {
      const script = new DeploymentScript(store, wakeups, id, appName);
      await script.request();
      return script;
    },
  };
}
