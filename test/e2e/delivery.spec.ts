/** No request fails because of a deploy: one load runs through the edge while everything that can happen to an app happens. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { trafficApp, type TrafficAppOptions } from '../support/traffic-app.js';
import { TrafficLoad } from '../support/traffic-load.js';
import { Workbench } from '../support/workbench.js';

let bench: Workbench;
let load: TrafficLoad;

beforeAll(async () => {
  bench = await Workbench.withEdge();
  await deploy('v1', { replicas: 2 });
  load = await TrafficLoad.start({
    url: `http://127.0.0.1:${bench.edge!.http}`,
    host: bench.host('web'),
    websocket_reconnects: 'allowed',
  });
});
afterAll(async () => {
  await load.stop();
  await bench.clear();
});

const spec = (version: string, fields: Record<string, unknown>, options: Partial<TrafficAppOptions>) => ({
  app_name: bench.app('web'),
  ...trafficApp({ version, ...options }),
  version,
  ...fields,
});

function deploy(
  version: string,
  fields: Record<string, unknown> = {},
  options: Partial<TrafficAppOptions> = {},
): Promise<DeploymentView> {
  return bench.client.succeed(spec(version, fields, options));
}

/** What happens under load leaves no trace in it; afterwards the version answers alone. */
async function unharmed(name: string, version: string, happen: () => Promise<unknown>): Promise<void> {
  load.mark(name);
  await happen();
  await load.until((seen) => seen === version);
  const { failed, failures } = load.report();
  expect({ failed, failures: failures.slice(0, 5) }).toEqual({ failed: 0, failures: [] });
}

const QUICK_CANARY = {
  type: 'canary',
  steps: [
    { set_weight: 20 },
    { pause: { duration_seconds: 2 } },
    { set_weight: 60 },
    { pause: { duration_seconds: 2 } },
  ],
  scale_down_delay_seconds: 0,
  analysis: false,
};

describe('under a steady load', () => {
  it('rolls a new version out', () => unharmed('rolling', 'v2', () => deploy('v2')));

  it('rolls a version out that ends at once when it is told to', () =>
    unharmed('rolling', 'v3', () => deploy('v3', {}, { on_sigterm: 'exit' })));

  it('switches from blue to green', () =>
    unharmed('blue_green', 'v4', () =>
      deploy('v4', { strategy: { type: 'blue_green', scale_down_delay_seconds: 0 } }),
    ));

  it('moves on by a canary', () => unharmed('canary', 'v5', () => deploy('v5', { strategy: QUICK_CANARY })));

  it('comes back by itself from a version that falls ill', () =>
    unharmed('rollback', 'v5', async () => {
      const view = await bench.client.run(
        spec(
          'v6',
          { strategy: 'rolling', health_check: { path: '/health', interval_ms: 200, bake_ms: 20_000 } },
          { unhealthy_after_ms: 4_000 },
        ),
      );
      expect(view).toMatchObject({ error: { code: 'health_check_failed' } });
      const { rolled_back_by } = await bench.client.rolledBack(view.deployment_id);
      expect(await bench.client.ended(rolled_back_by ?? '')).toMatchObject({ status: 'success', version: 'v5' });
    }));
});
