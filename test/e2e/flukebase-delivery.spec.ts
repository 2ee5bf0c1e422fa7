/** FlukeBase beside the rest of the server: what is written is told while it happens, and nothing depends on it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { FlukeBase } from '../support/flukebase.js';
import { until } from '../support/until.js';
import { lines } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

let flukebase: FlukeBase;
let bench: Workbench;
beforeAll(async () => {
  flukebase = await FlukeBase.start();
  bench = await Workbench.set({ ...flukebase.environment });
});
afterAll(async () => {
  await bench.clear();
  await flukebase.stop();
});

const BUILDING = { source: { dockerfile: lines('FROM busybox:1', 'RUN sleep 60') }, port: 0 };

it('entries are there while the deployment is still under way', async () => {
  const { deployment_id: id } = await bench.client.deploy({ app_name: bench.app('watched'), ...BUILDING });
  await until(async () => {
    const told = flukebase.held.deployments.get(id);
    return (
      told?.entries.some(({ message }) => message.includes('sleep 60')) && told.summaries.at(-1)?.status === 'building'
    );
  }, 'FlukeBase knows that it is being built');
  expect(await bench.client.status(id)).toMatchObject({ status: 'building' });
  await bench.client.request('POST', `/api/v1/deployments/${id}/cancel`, {});
  await bench.client.ended(id);
});

it('a FlukeBase that refuses the token is told of, and the server is ready all the same', async () => {
  const { token } = flukebase;
  flukebase.token = 'fbk_another';
  const { deployment_id: id } = await bench.client.deploy({ app_name: bench.app('refused'), image: 'busybox:1' });
  await bench.client.ended(id);
  const ready = () =>
    bench.client.request<{ status: string; dependencies: Record<string, unknown> }>('GET', '/health/ready');
  await until(async () => JSON.stringify((await ready()).body).includes('401'), 'the health tells it');
  expect(await ready()).toMatchObject({
    status: 200,
    body: { status: 'ready', dependencies: { flukebase: { status: 'down', reason: expect.stringContaining('401') } } },
  });
  expect(bench.installation.server.output.join('\n')).toContain('Nothing can be told');
  expect(bench.installation.server.output.join('\n')).not.toContain(token);
});
