/**
 * No request fails because of a deploy: one load runs through the edge, over HTTP and HTTPS, while everything that can happen to an
 * app happens, three times in a row. Afterwards a wrong recipe shows that the load does see failures.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { startPebble, type Pebble } from '../support/pebble.js';
import { trafficApp, type TrafficAppOptions } from '../support/traffic-app.js';
import { TrafficLoad } from '../support/traffic-load.js';
import { until } from '../support/until.js';
import { Visitors } from '../support/visitors.js';
import { freeEdgePorts, Workbench } from '../support/workbench.js';

interface Certificate {
  readonly id: string;
  readonly state: string;
  readonly issued_at?: string;
  readonly hosts: readonly string[];
}

let pebble: Pebble;
let bench: Workbench;
let loads: readonly TrafficLoad[] = [];
let folder: string;

beforeAll(async () => {
  const ports = await freeEdgePorts();
  pebble = await startPebble(ports.http);
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-delivery-'));
  const authorities = join(folder, 'authorities.pem');
  await writeFile(authorities, pebble.authorities);
  bench = await Workbench.withEdge(
    { ACME_DIRECTORY_URL: pebble.directory, ACME_EMAIL: 'ops@apps.test', ACME_CA_FILE: authorities },
    ports,
  );
  await deploy('v0', { replicas: 2 });
  await bench.client.succeed({ app_name: bench.app('neighbour'), ...trafficApp({ version: 'neighbour' }) });
  await until(async () => (await certificate())?.state === 'issued', 'the app has its certificate', 60_000);
  const ca = await pebble.root();
  await until(() => isTrusted(ports.https, bench.host('web'), ca), 'the edge has it as well');
  const common = { host: bench.host('web'), websocket_reconnects: 'allowed' } as const;
  loads = [
    await TrafficLoad.start({ ...common, url: `http://127.0.0.1:${ports.http}`, requests_per_second: 80 }),
    await TrafficLoad.start({
      ...common,
      url: `https://127.0.0.1:${ports.https}`,
      ca,
      requests_per_second: 20,
      connections: 10,
      websockets: 2,
    }),
  ];
});
afterAll(async () => {
  await Promise.all(loads.map((load) => load.stop()));
  await bench.clear();
  await pebble.stop();
  await rm(folder, { recursive: true });
});

/** Whether a handshake succeeds. */
function isTrusted(port: number, servername: string, ca: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ port, host: '127.0.0.1', servername, ca }, () => resolve(true));
  socket.on('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

async function certificate(): Promise<Certificate | undefined> {
  const path = `/api/v1/apps/${bench.app('web')}/certificates`;
  const { body } = await bench.client.request<{ certificates: Certificate[] }>('GET', path);
  return body.certificates.find(({ hosts }) => hosts.includes(bench.host('web')));
}

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

/** Asks for a change of the app and waits for its success. */
const change = (path: string, body: Record<string, unknown>) => asked('POST', `${bench.app('web')}/${path}`, body);

async function asked(method: string, path: string, body: Record<string, unknown>): Promise<DeploymentView> {
  const answer = await bench.client.request<DeploymentView>(method, `/api/v1/apps/${path}`, body);
  expect(answer.status).toBe(202);
  const view = await bench.client.ended(answer.body.deployment_id);
  expect(view).toMatchObject({ status: 'success' });
  return view;
}

/** Another app gets another name: the edge is written, checks and takes a new configuration. */
async function moveNeighbour(name: string): Promise<void> {
  const host = `${bench.app(name)}.elsewhere.test`;
  const visit = () => new Visitors(bench.edge!.http, host).count(1);
  expect(await visit()).not.toHaveProperty('neighbour');
  await asked('PATCH', bench.app('neighbour'), { domains: [host] });
  expect(await visit()).toEqual({ neighbour: 1 });
}

/** What happens under load leaves no trace in it; afterwards the version answers alone. */
async function unharmed(name: string, version: string, happen: () => Promise<unknown>): Promise<void> {
  for (const load of loads) load.mark(name);
  await happen();
  for (const load of loads) {
    await load.until((seen) => seen === version);
    const { failed, failures } = load.report();
    expect({ failed, failures: failures.slice(0, 5) }).toEqual({ failed: 0, failures: [] });
  }
}

const CANARY = {
  type: 'canary',
  steps: [
    { set_weight: 20 },
    { pause: { duration_seconds: 1 } },
    { set_weight: 60 },
    { pause: { duration_seconds: 1 } },
  ],
  scale_down_delay_seconds: 0,
  analysis: false,
};
const BLUE_GREEN = { type: 'blue_green', scale_down_delay_seconds: 0 };

describe.each([1, 2, 3])('run %i: no request fails while', (run) => {
  const version = (name: string): string => `${name}-${run}`;

  it('a new version is rolled out', () =>
    unharmed('rolling', version('rolled'), () => deploy(version('rolled'), { strategy: 'rolling' })));

  it('one is rolled out that takes its time to listen, and ends at once when it is told to', () =>
    unharmed('rolling, slow start', version('abrupt'), () =>
      deploy(version('abrupt'), {}, { on_sigterm: 'exit', listen_after_ms: 2_000 }),
    ));

  it('blue is switched to green', () =>
    unharmed('blue_green', version('green'), () => deploy(version('green'), { strategy: BLUE_GREEN })));

  it('a canary takes over step by step', () =>
    unharmed('canary', version('canary'), () => deploy(version('canary'), { strategy: CANARY })));

  it('a version that falls ill is taken back by itself', () =>
    unharmed('automatic rollback', version('canary'), async () => {
      const ill = { health_check: { path: '/health', interval_ms: 200, bake_ms: 20_000 }, strategy: 'rolling' };
      const view = await bench.client.run(spec(version('ill'), ill, { unhealthy_after_ms: 3_000 }));
      expect(view).toMatchObject({ has_served: true, error: { code: 'health_check_failed' } });
      const { rolled_back_by } = await bench.client.rolledBack(view.deployment_id);
      expect(await bench.client.ended(rolled_back_by ?? '')).toMatchObject({ status: 'success' });
    }));

  it('somebody goes back to the version before, and on again', () =>
    unharmed('manual rollback', version('green'), async () => {
      expect(await change('rollback', { reason: 'the old one was nicer' })).toMatchObject({
        version: version('green'),
      });
    }));

  it('it is scaled up and down', () =>
    unharmed('scaling', version('green'), async () => {
      await change('scale', { replicas: 4 });
      await change('scale', { replicas: 2 });
    }));

  it('its certificate is renewed', () =>
    unharmed('renewal', version('green'), async () => {
      const before = await certificate();
      const answer = await bench.client.request('POST', `/api/v1/certificates/${before?.id ?? ''}/renew`);
      expect(answer.status).toBe(202);
      const renewed = async () => (await certificate())?.issued_at !== before?.issued_at;
      await until(renewed, 'the certificate is a new one', 60_000);
    }));

  it('the edge reads its configuration seventeen times, a new one each fourth time', () =>
    unharmed('reloads', version('green'), async () => {
      for (let count = 1; count <= 17; count++) {
        if (count % 4 === 0) await moveNeighbour(version(`moved-${count}`));
        else await bench.swarm.reloadEdge();
      }
    }));
});

it('a wrong recipe is seen: the old replicas end before new ones are there', async () => {
  for (const load of loads) load.mark('wrong recipe');
  const wrong = async () => {
    await bench.swarm.killAllReplicas(bench.app('web'));
    return loads.every((load) => load.hasFailed());
  };
  const seen = () => `both loads see it: ${JSON.stringify(loads.map((load) => load.report().phases.at(-1)))}`;
  await until(wrong, seen, 60_000);
});
