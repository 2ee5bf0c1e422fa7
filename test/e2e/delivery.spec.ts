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
  if (process.env['NOLOAD']) return;
  load = await TrafficLoad.start({
    url: `http://127.0.0.1:${bench.edge!.http}`,
    host: bench.host('web'),
    websocket_reconnects: 'allowed',
  });
});
afterAll(async () => {
  await load?.stop();
  await bench.clear();
});

async function deploy(
  version: string,
  fields: Record<string, unknown> = {},
  options: Partial<TrafficAppOptions> = {},
): Promise<DeploymentView> {
  return bench.client.succeed({ app_name: bench.app('web'), ...trafficApp({ version, ...options }), version, ...fields });
}

/** What happens under load leaves no trace in it; afterwards the version answers alone. */
async function unharmed(name: string, version: string, happen: () => Promise<unknown>): Promise<void> {
  load.mark(name);
  await happen();
  await load.until((seen) => seen === version);
  const { failed, failures } = load.report();
  expect({ failed, failures: failures.slice(0, 5) }).toEqual({ failed: 0, failures: [] });
}

describe('under a steady load', () => {
  it('rolls a new version out', () =>
    unharmed('rolling', 'v2', () => deploy('v2')));

  it('rolls an app out that ends at once when it is told to', () =>
    unharmed('rolling', 'v3', () => deploy('v3', {}, { on_sigterm: 'exit' })));

  it('switches from blue to green', () =>
    unharmed('blue_green', 'v4', () => deploy('v4', { strategy: 'blue_green' })));
});
