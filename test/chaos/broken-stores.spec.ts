/** Redis loses everything, Redis freezes, PostgreSQL is killed, Docker is away: deployments in flight end well. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { Client } from '../support/client.js';
import { DockerProxy } from '../support/docker-proxy.js';
import { TestInstallation } from '../support/server-process.js';
import { SwarmState } from '../support/swarm-state.js';

const prefix = `fdstores-${randomBytes(4).toString('hex')}`;
/** No two are alike, so that the builder's cache knows none of them. */
const slow = () =>
  `FROM busybox:1\nRUN sleep 3 && echo ${randomBytes(4).toString('hex')}\nCMD ["httpd", "-f", "-p", "80"]\n`;
const swarm = new SwarmState(prefix);

let proxy: DockerProxy;
let installation: TestInstallation;
let client: Client;

beforeAll(async () => {
  proxy = await DockerProxy.start();
  installation = await TestInstallation.create({ DOCKER_HOST: proxy.host });
  client = await Client.logIn(() => installation.server.url);
});
afterAll(async () => {
  await swarm.clean();
  await installation.remove();
  await proxy.stop();
});

/** Asks for a deployment and answers its id once its build runs. */
async function building(name: string): Promise<string> {
  const { deployment_id } = await client.deploy({ app_name: `${prefix}-${name}`, source: { dockerfile: slow() } });
  await client.until(deployment_id, ({ phases }) => phases.build.status === 'running');
  return deployment_id;
}

async function processOf(store: 'redis' | 'postgres'): Promise<number> {
  const file = store === 'redis' ? join('redis', 'redis.pid') : join('postgres', 'cluster', 'postmaster.pid');
  return Number((await readFile(join(installation.directory, file), 'utf8')).split('\n')[0]);
}

describe('a deployment in its build', () => {
  it('survives FLUSHALL of Redis, and so do those that wait', async () => {
    const ids = [
      await building('flushed'),
      ...(
        await Promise.all(
          ['a', 'b'].map((name) => client.deploy({ app_name: `${prefix}-${name}`, source: { dockerfile: slow() } })),
        )
      ).map(({ deployment_id }) => deployment_id),
    ];
    const redis = new Redis(join(installation.directory, 'redis', 'redis.sock'));
    await redis.flushall();
    redis.disconnect();
    for (const id of ids) expect(await client.ended(id)).toMatchObject({ status: 'success' });
  });

  it('goes on while Redis is frozen: without it everything is slower, and nothing stops', async () => {
    const id = await building('frozen');
    const redis = await processOf('redis');
    process.kill(redis, 'SIGSTOP');
    try {
      expect(await client.ended(id)).toMatchObject({ status: 'success' });
      expect(
        await client.run({ app_name: `${prefix}-meanwhile`, image: 'busybox:1', command: ['sleep', '600'], port: 0 }),
      ).toMatchObject({
        status: 'success',
      });
    } finally {
      process.kill(redis, 'SIGCONT');
    }
  });

  it('survives kill -9 of PostgreSQL', async () => {
    const id = await building('database');
    process.kill(await processOf('postgres'), 'SIGKILL');
    expect(await client.ended(id)).toMatchObject({ status: 'success' });
    const entries = await client.entries(id);
    expect(entries.map(({ flukedeploy_metadata }) => flukedeploy_metadata.sequence)).toEqual(
      entries.map((_, index) => index + 1),
    );
  });

  it('is tried again when Docker was away', async () => {
    const id = await building('docker');
    proxy.setAway(true);
    await client.until(id, ({ phases }) => phases.build.attempt > 1 || phases.build.error !== undefined);
    proxy.setAway(false);
    const view = await client.ended(id);
    expect(view).toMatchObject({ status: 'success' });
    expect(view.phases.build.attempt).toBeGreaterThan(1);
  });

  it('says so while the database is away, and answers again afterwards', async () => {
    const postmaster = await processOf('postgres');
    process.kill(postmaster, 'SIGSTOP');
    const refused = client.request('GET', '/api/v1/deployments/stats');
    await sleep(0);
    process.kill(postmaster, 'SIGCONT');
    expect([200, 503]).toContain((await refused).status);
    expect((await client.request('GET', '/health/ready')).status).toBe(200);
  });
});
