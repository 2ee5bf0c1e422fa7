/** The next version of an app by each strategy, against the same app updated by Swarm alone. */
import { trafficApp } from '../test/support/traffic-app.ts';
import { RawService } from './baselines/raw-service.ts';
import { comparison, type Benchmark } from './support/benchmark.ts';
import { EngineEvents, update } from './support/engine-events.ts';
import { removeServices } from './support/leftovers.ts';
import { deployedTrafficApp, rawTrafficApp } from './support/raw-traffic-app.ts';
import { startServerWithEdge } from './support/server-with-edge.ts';

const REPLICAS = 2;
/** Nothing is waited for that the strategy does not need by itself. */
const STRATEGIES = {
  rolling: 'rolling',
  blue_green: { type: 'blue_green', scale_down_delay_seconds: 0 },
  'canary, one step': { type: 'canary', steps: [{ set_weight: 50 }], analysis: false, scale_down_delay_seconds: 0 },
} as const;

export const strategies: Benchmark = async (scope, { rounds }) => {
  const { client, docker, prefix } = await startServerWithEdge(scope);
  const events = await EngineEvents.listen(scope, docker);
  // It waits until the edge has started, which the measured ones need not.
  await client.succeed({ app_name: `${prefix}-warm`, project: prefix, ...trafficApp({ version: 'v1' }) });

  const ours = async (strategy: keyof typeof STRATEGIES, app: string): Promise<number> => {
    const fields = { app_name: app, project: prefix, replicas: REPLICAS, domains: [`${app}.test`] };
    await client.succeed({ ...fields, ...deployedTrafficApp({ version: 'v1' }) });
    const next = { ...fields, strategy: STRATEGIES[strategy], ...deployedTrafficApp({ version: 'v2' }) };
    const { asked, ended } = await client.succeed(next);
    return ended - asked;
  };
  const raw = async (app: string): Promise<number> => {
    const service = new RawService(docker, app);
    const first = rawTrafficApp(app, REPLICAS, { version: 'v1' });
    await service.apply(first);
    await service.runs(first.image, REPLICAS);
    const asked = await service.apply(rawTrafficApp(app, REPLICAS, { version: 'v2' }));
    return (await events.first(update(app, 'completed'), asked)) - asked;
  };

  const names = Object.keys(STRATEGIES) as (keyof typeof STRATEGIES)[];
  const times = names.map((what) => ({ what, unit: 'ms' as const, ours: [] as number[], raw: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    const bare = await raw(`${prefix}-raw${round}`);
    for (const [index, time] of times.entries()) {
      time.ours.push(await ours(time.what, `${prefix}-s${index}n${round}`));
      time.raw.push(bare);
    }
    // What is left running would disturb the next round.
    await removeServices(docker, `${prefix}-raw`);
    await removeServices(docker, `${prefix}-s`);
  }
  return [comparison('Next version of two replicas, until success', '`docker service update`', times)];
};
