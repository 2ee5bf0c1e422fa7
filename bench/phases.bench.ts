/** What FlukeDeploy itself adds to a deployment: five phases that do nothing, against a chain of five BullMQ jobs. */
import { randomBytes } from 'node:crypto';
import { Test } from '@nestjs/testing';
import type { DeploymentSession } from '../src/modules/deployments/deployment-session.js';
import type { PhaseOutputs } from '../src/domain/deployment.js';
import type { Phase } from '../src/domain/phases.js';
import { JobChain } from './baselines/job-chain.ts';
import { comparison, now, quantile, type Benchmark, type Measure } from './support/benchmark.ts';
import {
  AppModule,
  DeploymentsService,
  isFinal,
  LogHub,
  openInfrastructure,
  PhaseHandler,
  PhaseHandlers,
  PHASES,
  readConfig,
} from './support/built.ts';
import { orderFor } from './support/deployments.ts';
import { startStores, type Stores } from './support/stores.ts';

const PARALLEL = 20;
const ALONE = 40;
const TOGETHER = 200;

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

type Run = (name: string) => Promise<void>;

export const phases: Benchmark = async (scope, { quick, rounds }) => {
  const stores = await startStores(scope);
  const chain = new JobChain(stores.redis('impatient'), stores.redis('patient'), PARALLEL);
  scope.defer(() => chain.close());
  const runs: readonly Run[] = [await deploymentRunner(scope, stores), (name) => chain.run(name)];
  let made = 0;

  /** Milliseconds of each run, and how many ended in a second. */
  const series = async (run: Run, count: number, parallel: number): Promise<{ durations: number[]; rate: number }> => {
    const durations: number[] = [];
    let left = quick ? parallel : count;
    const total = left;
    const began = now();
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        while (left-- > 0) {
          const runBegan = now();
          await run(`app-${made++}`);
          durations.push(now() - runBegan);
        }
      }),
    );
    return { durations, rate: (total * 1_000) / (now() - began) };
  };

  // The first runs pay for compiling the code; that is the start's affair.
  for (const run of runs) await series(run, PARALLEL, PARALLEL);

  const measures: Measure[] = [];
  for (const [what, count, parallel] of [
    ['alone', ALONE, 1] as const,
    [`${PARALLEL} at once`, TOGETHER, PARALLEL] as const,
  ]) {
    const results = runs.map(() => ({ p50: [] as number[], p99: [] as number[], rate: [] as number[] }));
    for (let round = 0; round < rounds; round++) {
      for (const [index, run] of runs.entries()) {
        const { durations, rate } = await series(run, count, parallel);
        results[index]!.p50.push(quantile(durations, 0.5));
        results[index]!.p99.push(quantile(durations, 0.99));
        results[index]!.rate.push(rate);
      }
    }
    const [ours, raw] = results;
    measures.push(
      { what: `five phases, ${what}: p50`, unit: 'ms', ours: ours!.p50, raw: raw!.p50 },
      { what: `five phases, ${what}: p99`, unit: 'ms', ours: ours!.p99, raw: raw!.p99 },
      { what: `deployments, ${what}`, unit: '/s', ours: ours!.rate, raw: raw!.rate },
    );
  }
  return [comparison('Five phases that do nothing', 'BullMQ, five jobs', measures)];
};

/** A worker as the program composes it, only its phases are others. Answers what asks for a deployment and awaits its end, as clients see it: through the log. */
async function deploymentRunner(scope: AsyncDisposableStack, { environment, root }: Stores): Promise<Run> {
  const config = readConfig({
    ...environment,
    FLUKEDEPLOY_ROLE: 'worker',
    FLUKEDEPLOY_CONCURRENCY: String(PARALLEL),
    FLUKEDEPLOY_SECRET_KEY: randomBytes(32).toString('base64'),
    DATA_DIR: root,
  });
  const infrastructure = await openInfrastructure(config);
  scope.defer(() => infrastructure.close());
  const worker = await Test.createTestingModule({ imports: [AppModule.for(config, infrastructure)] })
    .overrideProvider(PhaseHandlers)
    .useValue(new PhaseHandlers(PHASES.map((phase) => new NoWork(phase))))
    .compile();
  await worker.init();
  scope.defer(() => worker.close());

  const ends = new Map<string, () => void>();
  worker.get(LogHub, { strict: false }).subscribe((batch) => {
    for (const { row } of batch) if (isFinal(row.status)) ends.get(row.app_name)?.();
  });
  const deployments = worker.get(DeploymentsService, { strict: false });
  return async (app) => {
    const end = new Promise<void>((resolve) => ends.set(app, resolve));
    await deployments.deploy(orderFor(app));
    await end;
    ends.delete(app);
  };
}
