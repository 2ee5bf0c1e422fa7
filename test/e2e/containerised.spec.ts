/** The production shape: the worker runs in a container beside the apps, and reaches them from there. */
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type Docker from 'dockerode';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { startPrivatePostgres } from '../../src/adapters/postgres/private-postgres.js';
import type { PrivateServer } from '../../src/adapters/process/supervised-child.js';
import { startPrivateRedis } from '../../src/adapters/redis/private-redis.js';
import { FlukeDeployEventType } from '../../src/domain/log-entry.js';
import { Client } from '../support/client.js';
import { ADMIN_PASSWORD, startProcess, stopProcess, type RunningServer } from '../support/server-process.js';
import { SwarmState } from '../support/swarm-state.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const prefix = `fdbox-${randomBytes(4).toString('hex')}`;
const swarm = new SwarmState(prefix);

let root: string;
let stores: PrivateServer[] = [];
let worker: Docker.Container;
let api: RunningServer;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-box-'));
  await chmod(root, 0o711);
  const options = (name: string) => ({ directory: join(root, name), log: () => undefined, onFatal: () => undefined });
  stores = await Promise.all([startPrivatePostgres(options('postgres')), startPrivateRedis(options('redis'))]);
  const environment = {
    DATABASE_URL: stores[0]?.url ?? '',
    REDIS_URL: `unix://${stores[1]?.url ?? ''}`,
    FLUKEDEPLOY_SECRET_KEY: randomBytes(32).toString('base64'),
    FLUKEDEPLOY_ADMIN_PASSWORD: ADMIN_PASSWORD,
  };
  api = await startProcess({ ...environment, FLUKEDEPLOY_ROLE: 'api', DATA_DIR: join(root, 'data') });
  const docker = await new DockerClient().calls();
  worker = await docker.createContainer({
    name: prefix,
    Image: 'node:24',
    Cmd: ['node', join(PROJECT, 'dist/main.js')],
    Env: Object.entries({ ...environment, FLUKEDEPLOY_ROLE: 'worker', HTTP_PORT: '0', DATA_DIR: '/tmp/data' }).map(
      (pair) => pair.join('='),
    ),
    Labels: { 'flukedeploy.test': prefix },
    HostConfig: { Binds: [`${PROJECT}:${PROJECT}:ro`, `${root}:${root}`, '/var/run/docker.sock:/var/run/docker.sock'] },
  });
  await worker.start();
});
afterAll(async () => {
  await swarm.clean();
  await worker.remove({ force: true });
  await stopProcess(api);
  for (const store of stores) await store.stop();
  await rm(root, { recursive: true });
});

it('probes every replica over the network of the project', async () => {
  const client = await Client.logIn(() => api.url);
  const view = await client.run({
    app_name: prefix,
    replicas: 2,
    source: {
      dockerfile: 'FROM busybox:1\nRUN mkdir /www && echo fine > /www/index.html\nCMD ["httpd", "-f", "-h", "/www"]\n',
    },
    health_check: { path: '/' },
  });
  expect(view).toMatchObject({ status: 'success' });
  const probes = (await client.entries(view.deployment_id)).filter(
    ({ flukedeploy_metadata }) => flukedeploy_metadata.event_type === FlukeDeployEventType.HEALTH_CHECK,
  );
  expect(probes.length).toBeGreaterThanOrEqual(4);
  for (const { flukedeploy_metadata } of probes)
    expect(flukedeploy_metadata).toMatchObject({ healthy: true, http_status: 200 });
});
