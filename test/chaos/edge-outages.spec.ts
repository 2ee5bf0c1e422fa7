/** What the edge does without the server, and rollouts do without the Engine or the edge. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DockerProxy } from '../support/docker-proxy.js';
import { trafficApp, type TrafficAppOptions } from '../support/traffic-app.js';
import { TrafficLoad } from '../support/traffic-load.js';
import { until } from '../support/until.js';
import { Visitors } from '../support/visitors.js';
import { Workbench } from '../support/workbench.js';

const APPS = ['stopped', 'engine', 'watched'];
const docker = promisify(execFile);

let proxy: DockerProxy;
let bench: Workbench;

const version = (name: string, options: Partial<TrafficAppOptions> = {}, bake_ms = 0) => {
  const app = trafficApp({ version: name, ...options });
  return { ...app, version: name, replicas: 2, health_check: { ...app.health_check, bake_ms } };
};

beforeAll(async () => {
  proxy = await DockerProxy.start();
  bench = await Workbench.withEdge({ DOCKER_HOST: proxy.host });
  for (const name of APPS) bench.start(name, version('stable'));
  for (const name of APPS) expect(await bench.ended(name)).toMatchObject({ status: 'success' });
}, 180_000);
afterAll(async () => {
  await bench.clear();
  await proxy.stop();
});

const load = (name: string) =>
  TrafficLoad.start({
    url: `http://127.0.0.1:${bench.edge!.http}`,
    host: bench.host(name),
    requests_per_second: 20,
    connections: 5,
    websockets: 0,
  });

/** Kills the container; Swarm makes another one. */
async function killEdge(): Promise<void> {
  const filter = `label=com.docker.swarm.service.name=${bench.app('edge')}`;
  const { stdout } = await docker('docker', ['ps', '--quiet', '--filter', filter]);
  expect(stdout.trim()).toMatch(/^[0-9a-f]+$/);
  await docker('docker', ['kill', stdout.trim()]);
}

/** Answered by the version again and again, on connections of their own. */
async function serves(name: string, answering: string): Promise<void> {
  const ask = () => new Visitors(bench.edge!.http, bench.host(name)).count(20, { connections: 2 });
  await until(
    async () => ((await ask().catch(() => ({}))) as Record<string, number>)[answering] === 20,
    `${name} serves`,
    30_000,
  );
}

describe('the server is stopped', () => {
  it('and the edge serves on, even after its own container was killed', async () => {
    const running = await load('stopped');
    await bench.installation.stop();
    await running.until((seen) => seen === 'stable', { last_ms: 3_000 });
    expect(await running.stop()).toMatchObject({ failed: 0 });

    await killEdge();
    await serves('stopped', 'stable');
    const afterwards = await load('stopped');
    await afterwards.until((seen) => seen === 'stable', { last_ms: 3_000 });
    expect(await afterwards.stop()).toMatchObject({ failed: 0 });
    await bench.installation.start();
    await serves('stopped', 'stable');
  });
});

describe('in the midst of a rolling update', () => {
  it('the Engine is away for a while: the update waits for it, and no request fails', async () => {
    const running = await load('engine');
    const { deployment_id } = await bench.client.deploy({ app_name: bench.app('engine'), ...version('fresh') });
    await until(
      async () =>
        (await bench.client.messages(deployment_id)).some((message) => message.includes('1 of 2 new replicas')),
      'the first new replica takes requests',
      60_000,
    );
    proxy.setAway(true);
    const awayAt = Date.now();
    await until(async () => Date.now() - awayAt > 15_000, 'longer than three attempts would last', 20_000);
    expect(await bench.client.status(deployment_id)).toMatchObject({ status: 'deploying' });
    proxy.setAway(false);
    expect(await bench.client.ended(deployment_id)).toMatchObject({ status: 'success' });
    await running.until((seen) => seen === 'fresh');
    const { failed, failures } = await running.stop();
    expect({ failed, failures }).toEqual({ failed: 0, failures: [] });
  });

  it('the edge is killed while the new version is watched: that is not the version’s fault', async () => {
    const spec = { app_name: bench.app('watched'), ...version('fresh', {}, 10_000) };
    const { deployment_id } = await bench.client.deploy(spec);
    await bench.client.until(deployment_id, ({ phases }) => phases.post_deploy.status === 'running');
    await killEdge();
    expect(await bench.client.ended(deployment_id)).toMatchObject({ status: 'success' });
    await serves('watched', 'fresh');
  });
});
