/** A worker that leads deployments through phases that do nothing, or only what a benchmark wants of them. */
import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import type { DeploySpec } from '../../src/domain/app-spec.js';
import type { PhaseOutputs } from '../../src/domain/deployment.js';
import type { Phase } from '../../src/domain/phases.js';
import type { Plugin } from '../../src/domain/plugin.js';
import type { DeploymentSession } from '../../src/modules/deployments/deployment-session.js';
import type { HookRunner as Hooks } from '../../src/modules/deployments/hooks/hook-runner.js';
import type { PhaseHandler as Handler } from '../../src/modules/deployments/phase-handler.js';
import {
  AppModule,
  DeploymentsService,
  HookRunner,
  isFinal,
  LogHub,
  NO_SERVER_PLUGINS,
  openInfrastructure,
  PhaseHandler,
  PhaseHandlers,
  PHASES,
  Plugins,
  readConfig,
} from './built.ts';
import { orderFor } from './deployments.ts';
import type { Stores } from './stores.ts';

/** Asks for a deployment of the app and awaits its end. */
export type Run = (app: string, spec?: Partial<DeploySpec>) => Promise<void>;

interface Workings {
  /** Instead of the built-in ones. */
  readonly plugins?: readonly Plugin[];
  readonly variables?: Readonly<Record<string, string>>;
  /** Phases that do something. */
  readonly working?: (hooks: Hooks) => readonly Handler[];
}

class NoWork extends PhaseHandler {
  readonly phase: Phase;

  constructor(phase: Phase) {
    super();
    this.phase = phase;
  }

  run(_session: DeploymentSession): Promise<PhaseOutputs> {
    return Promise.resolve({});
  }
}

/** A worker as the program composes it, only its phases are others. Answers what asks for a deployment and awaits its end, as clients see it: through the log. */
export async function deploymentRunner(
  scope: AsyncDisposableStack,
  { environment, root }: Stores,
  parallel: number,
  { plugins, variables = {}, working = () => [] }: Workings = {},
): Promise<Run> {
  const config = readConfig({
    ...environment,
    ...variables,
    FLUKEDEPLOY_ROLE: 'worker',
    FLUKEDEPLOY_CONCURRENCY: String(parallel),
    FLUKEDEPLOY_SECRET_KEY: randomBytes(32).toString('base64'),
    DATA_DIR: root,
  });
  const infrastructure = await openInfrastructure(config);
  scope.defer(() => infrastructure.close());
  const own = plugins && new Plugins([...plugins, ...infrastructure.externalPlugins], NO_SERVER_PLUGINS);
  const building = Test.createTestingModule({ imports: [AppModule.for(config, infrastructure)] })
    .overrideProvider(PhaseHandlers)
    .useFactory({
      factory: (hooks: Hooks) => {
        const busy = working(hooks);
        const idle = PHASES.filter((phase) => !busy.some((handler) => handler.phase === phase));
        return new PhaseHandlers([...busy, ...idle.map((phase) => new NoWork(phase))]);
      },
      inject: [HookRunner],
    });
  if (own) building.overrideProvider(Plugins).useValue(own);
  const worker = await building.compile();
  await worker.init();
  scope.defer(() => worker.close());

  const ends = new Map<string, () => void>();
  worker.get(LogHub, { strict: false }).subscribe((batch) => {
    for (const { row } of batch) if (isFinal(row.status)) ends.get(row.app_name)?.();
  });
  const deployments = worker.get(DeploymentsService, { strict: false });
  return async (app, spec = {}) => {
    const end = new Promise<void>((resolve) => ends.set(app, resolve));
    const order = orderFor(app);
    const { actor } = order.identity;
    await deployments.deploy(
      { ...order, spec: { ...order.spec, ...spec }, plan_hash: app },
      { actor, scopes: ['deploy'] },
    );
    await end;
    ends.delete(app);
  };
}
