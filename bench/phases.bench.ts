/** What FlukeDeploy itself adds to a deployment: five phases that do nothing, against a chain of five BullMQ jobs. */
import { JobChain } from './baselines/job-chain.ts';
import { comparison, now, quantile, type Benchmark, type Measure } from './support/benchmark.ts';
import { deploymentRunner, type Run } from './support/deployment-runner.ts';
import { startStores } from './support/stores.ts';

const PARALLEL = 20;
const ALONE = 40;
const TOGETHER = 200;

export const phases: Benchmark = async (scope, { quick, rounds }) => {
  const stores = await startStores(scope);
  const chain = new JobChain(stores.redis('impatient'), stores.redis('patient'), PARALLEL);
  scope.defer(() => chain.close());
  const runs: readonly Run[] = [await deploymentRunner(scope, stores, PARALLEL), (name) => chain.run(name)];
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
