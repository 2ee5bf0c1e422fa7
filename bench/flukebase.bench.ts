/** What the sync with FlukeBase costs a deployment, how fast it is beside a bare loop of requests, and what waiting entries weigh. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { PhaseOutputs } from '../src/domain/deployment.js';
import type { Claim } from '../src/domain/ports.js';
import type { DeploymentSession } from '../src/modules/deployments/deployment-session.js';
import { FlukeBaseProcess } from '../test/support/flukebase-process.ts';
import { until } from '../test/support/until.ts';
import { AxiosLoop, BATCH, perSecond } from './baselines/axios-loop.ts';
import { comparison, now, quantile, type Benchmark, type Effort, type Table } from './support/benchmark.ts';
import { PhaseHandler } from './support/built.ts';
import { deploymentRunner, type Run } from './support/deployment-runner.ts';
import { Deployments, lines } from './support/deployments.ts';
import { residentMegabytes } from './support/processes.ts';
import { FLUKEDEPLOY, startServer, type Server } from './support/server.ts';
import { startStores, type Stores } from './support/stores.ts';

const LINES = 1_000;
const RUNS = 10;
const BACKLOG = { deployments: 20, lines: 1_000 };
const WAITING = { deployments: 200, lines: 5_000 };
const LINES_AT_ONCE = 500;
const WRITERS = 4;
const LIVE = 'live-';
const LIVE_LINES = 200;
const LIVE_EVERY_MS = 20;
const SLOW_MS = 5_000;
const IN_TIME_MS = 600_000;

export const flukebase: Benchmark = async (scope, effort) => [
  ...(await deployments(scope, effort)),
  ...(await sync(scope, effort)),
];

/** Writes as many lines as an ordinary build; of an app that is live, one after another. */
class Talking extends PhaseHandler {
  readonly phase = 'build';

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const is_live = session.state.identity.app_name.startsWith(LIVE);
    for (let line = 0; line < (is_live ? LIVE_LINES : LINES); line++) {
      session.output(`line ${line}`);
      if (is_live) await pause(LIVE_EVERY_MS);
    }
    return {};
  }
}

/** The same deployments with FlukeBase in every condition, in turns; nobody waits for anything that is still on its way. */
async function deployments(scope: AsyncDisposableStack, { quick, rounds }: Effort): Promise<Table[]> {
  const runner = async (environment: Readonly<Record<string, string>>): Promise<Run> =>
    deploymentRunner(scope, await startStores(scope), 1, { variables: environment, working: () => [new Talking()] });
  const [well, away, slow] = [await start(scope), await start(scope), await start(scope)];
  await away.tell({ act: 'go_away' });
  await slow.tell({ fault: { kind: 'slow', ms: SLOW_MS } });
  const series = {
    without: await runner({}),
    well: await runner(well.environment),
    away: await runner(away.environment),
    slow: await runner(slow.environment),
  };
  type Condition = keyof typeof series;
  const medians: Record<Condition, number[]> = { without: [], well: [], away: [], slow: [] };
  let made = 0;
  for (const run of Object.values(series)) await run(`warm-${made++}`);
  for (let round = 0; round < rounds; round++) {
    for (const [condition, run] of Object.entries(series) as [Condition, Run][]) {
      const durations: number[] = [];
      for (let left = quick ? 2 : RUNS; left > 0; left--) {
        const began = now();
        await run(`app-${made++}`);
        durations.push(now() - began);
      }
      medians[condition].push(quantile(durations, 0.5));
      if (condition === 'well') await quiet(well);
    }
  }
  const raw = await AxiosLoop.to(well);
  const live = { ours: [] as number[], raw: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const began = Date.now();
    await series.well(`${LIVE}${round}`);
    await quiet(well);
    const { arrivals } = await well.tell({ since: began });
    live.ours.push(quantile(arrivals.map(delay), 0.5));
    live.raw.push(await raw.latency(LIVE_LINES, LIVE_EVERY_MS));
  }
  const { without } = medians;
  return [
    comparison('A deployment that does nothing but write a thousand lines', 'without FlukeBase', [
      { what: 'FlukeBase takes everything', unit: 'ms', ours: medians.well, raw: without },
      { what: 'FlukeBase is away', unit: 'ms', ours: medians.away, raw: without },
      { what: `FlukeBase answers after ${SLOW_MS / 1_000} s`, unit: 'ms', ours: medians.slow, raw: without },
    ]),
    comparison(`A line every ${LIVE_EVERY_MS} ms`, 'axios, each by itself', [
      { what: 'from the line to its arrival, p50', unit: 'ms', ...live },
    ]),
  ];
}

/** How fast a worker tells what waits, and what that weighs. */
async function sync(scope: AsyncDisposableStack, { quick, rounds }: Effort): Promise<Table[]> {
  const stores = await startStores(scope);
  const target = await start(scope);
  const raw = await AxiosLoop.to(target);
  const writer = new Deployments(stores.database);
  const secretKey = randomBytes(32).toString('base64');
  const startWorker = (): Promise<Server> =>
    startServer(scope, FLUKEDEPLOY, {
      ...stores.environment,
      ...target.environment,
      FLUKEDEPLOY_ROLE: 'worker',
      FLUKEDEPLOY_SECRET_KEY: secretKey,
      DATA_DIR: stores.root,
    });
  // Only what is written after the first start is told.
  await (await startWorker()).stop();

  const rates = { ours: [] as number[], raw: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const rows = await write(writer, stores, shrunk(BACKLOG, quick), `backlog-${round}`);
    const began = Date.now();
    const held = (await target.tell({ act: 'nothing' })).entries;
    const worker = await startWorker();
    await holds(target, held + rows);
    const arrived = (await target.tell({ since: began })).arrivals.map((arrival) => arrival.arrived);
    rates.ours.push(perSecond(arrived));
    await worker.stop();
    rates.raw.push(await raw.rate(rows));
  }

  const idle = await startWorker();
  const rested = await residentMegabytes(idle.pid);
  await idle.stop();

  await target.tell({ act: 'go_away' });
  const waiting = await write(writer, stores, shrunk(WAITING, quick), 'waiting');
  const laden = await startWorker();
  const peak = await peakMegabytes(laden, pause(quick ? 2_000 : 20_000));
  const { entries } = await target.tell({ act: 'come_back' });
  const draining = await peakMegabytes(laden, holds(target, entries + Math.min(waiting, 100_000)));

  return [
    comparison('Entries told', `axios, batches of ${BATCH}, one after another`, [
      { what: 'entries that wait', unit: '/s', ...rates },
    ]),
    comparison(`${waiting.toLocaleString('en')} entries wait`, 'none wait', [
      { what: 'memory of the worker, FlukeBase away', unit: 'MB', ours: [peak], raw: [rested] },
      { what: 'memory of the worker, FlukeBase back', unit: 'MB', ours: [draining], raw: [rested] },
    ]),
  ];
}

const delay = ({ written, arrived }: { written: number; arrived: number }): number => arrived - written;

async function start(scope: AsyncDisposableStack): Promise<FlukeBaseProcess> {
  const process = await FlukeBaseProcess.start();
  scope.defer(() => process.stop());
  return process;
}

/** Everything that was written has arrived: nothing has come for a second. */
async function quiet(target: FlukeBaseProcess): Promise<void> {
  for (let before = -1; ;) {
    const { asked } = await target.tell({ act: 'nothing' });
    if (asked === before) return;
    before = asked;
    await pause(1_000);
  }
}

async function holds(target: FlukeBaseProcess, entries: number): Promise<void> {
  const enough = async (): Promise<boolean> => (await target.tell({ act: 'nothing' })).entries >= entries;
  await until(enough, `FlukeBase has ${entries} entries`, IN_TIME_MS);
}

/** Deployments with so many lines each, that go on for ever; answers how many entries they have. */
async function write(writer: Deployments, { database }: Stores, size: typeof BACKLOG, name: string): Promise<number> {
  const count = async (): Promise<number> =>
    Number((await database.query<{ count: string }>('select count(*) from entries'))[0]!.count);
  const before = await count();
  const queue = Array.from({ length: size.deployments }, (_, number) => number);
  const one = async (claim: Claim): Promise<void> => {
    for (let line = 0; line < size.lines; line += LINES_AT_ONCE) {
      await writer.append(claim, lines(Math.min(LINES_AT_ONCE, size.lines - line), line));
    }
  };
  await Promise.all(
    Array.from({ length: WRITERS }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        await one(await writer.begin(`${name}-${next}`));
      }
    }),
  );
  return (await count()) - before;
}

function shrunk(size: typeof BACKLOG, quick: boolean): typeof BACKLOG {
  return quick ? { deployments: Math.ceil(size.deployments / 10), lines: size.lines } : size;
}

async function peakMegabytes({ pid }: Server, work: Promise<unknown>): Promise<number> {
  let peak = 0;
  const over = work.then(() => true);
  do peak = Math.max(peak, await residentMegabytes(pid));
  while (!(await Promise.race([over, pause(100, false)])));
  return peak;
}
