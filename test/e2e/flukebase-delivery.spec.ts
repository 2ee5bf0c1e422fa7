/** The delivery to FlukeBase as its operator sees it: how it stands, what was given up, history, and a server that is switched off. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FlukeBase } from '../support/flukebase.js';
import { until } from '../support/until.js';
import { serving } from '../support/web-apps.js';
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

describe('a server with a token', () => {
  it('tells FlukeBase everything', async () => {
    const { deployment_id: id } = await bench.client.deploy({ app_name: bench.app('told'), ...serving('told') });
    await bench.client.ended(id);
    const entries = await bench.client.entries(id);
    await until(async () => flukebase.held.deployments.get(id)?.entries.length === entries.length, 'told', 10_000).catch((e: unknown) => {
      console.log(flukebase.requests.map((r) => `${r.method} ${r.path} ${r.answer} ${r.body.slice(0, 300)}`), bench.installation.server.output);
      throw e;
    });
    console.log(JSON.stringify(flukebase.held.arrivals), (await bench.client.request('GET', '/api/v1/flukebase')).body, (await bench.client.request('POST', '/api/v1/flukebase/check')).body);
  });
});
