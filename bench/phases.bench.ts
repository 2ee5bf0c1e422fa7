/** What FlukeDeploy itself adds to a deployment: five phases that do nothing, against a chain of five BullMQ jobs. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DeploymentSession } from '../src/modules/deployments/deployment-session.js';
import type { PhaseOutputs } from '../src/domain/deployment.js';
import type { Phase } from '../src/domain/phases.js';
import { JobChain } from './baselines/job-chain.ts';
import { comparison, now, quantile, type Benchmark, type Measure } from './support/benchmark.ts';
import {
  AesGcmSecrets,
  BullPhaseQueue,
  CommandLineGit,
  DeploymentLifecycleTracker,
  DockerClient,
  DockerImages,
  isFinal,
  Logbook,
  LogHub,
  PhaseHandler,
  PhaseHandlers,
  PHASES,
  PhaseWorker,
  PostgresPhaseClaims,
  QueueConnections,
  RedisWakeups,
  SourceWorkspace,
  TarArchives,
  TrackerOptions,
  WorkerOptions,
  WorkspaceOptions,
} from './support/built.ts';
import { Deployments, orderFor } from './support/deployments.ts';
import { startStores, type Stores } from './support/stores.ts';

const PARALLEL = 20;
/** As in production. */
const LEASE_MS = 10_000;
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

/** The real tracker, queue, worker, stores and hub of a server with handlers that do nothing; answers what asks for a deployment and awaits its end. */
async function deploymentRunner(scope: AsyncDisposableStack, stores: Stores): Promise<Run> {
  const { store, log } = new Deployments(stores.database);
  const claims = new PostgresPhaseClaims(stores.database, { instance: 'bench/1', lease_ms: LEASE_MS });
  const wakeups = new RedisWakeups(stores.redis('impatient'), stores.redis('patient'));
  const connections = new QueueConnections(stores.redis('impatient'), stores.redis('patient'));
  const hub = new LogHub(log, wakeups);
  const logbook = new Logbook(log, wakeups, hub);
  const queue = new BullPhaseQueue(connections);
  scope.defer(() => queue.close());
  const secrets = new AesGcmSecrets(randomBytes(32));
  const tracker = new DeploymentLifecycleTracker(
    new TrackerOptions(LEASE_MS),
    new PhaseHandlers(PHASES.map((phase) => new NoWork(phase))),
    claims,
    queue,
    logbook,
    secrets,
    new DockerImages(new DockerClient()),
    new SourceWorkspace(
      new TarArchives({ maxBytes: 1 }),
      new CommandLineGit({ allowedHosts: [], maxBytes: 1 }),
      store,
      secrets,
      new WorkspaceOptions(join(stores.root, 'workspaces')),
    ),
    wakeups,
  );
  const worker = new PhaseWorker(connections, new WorkerOptions(PARALLEL), tracker);
  worker.onApplicationBootstrap();
  scope.defer(() => worker.beforeApplicationShutdown());
  await hub.onApplicationBootstrap();
  scope.defer(() => hub.onApplicationShutdown());

  const ends = new Map<string, () => void>();
  hub.subscribe((batch) => {
    for (const { row } of batch) if (isFinal(row.status)) ends.get(row.app_name)?.();
  });

  /** As `DeploymentsService.deploy`; the end is the one that every client sees, through the log. */
  return async (app) => {
    const end = new Promise<void>((resolve) => ends.set(app, resolve));
    const { record } = await store.accept(orderFor(app));
    logbook.announce(record.id);
    await tracker.wake(await claims.startWaiting(record.state.identity));
    await end;
    ends.delete(app);
  };
}
