/** What belongs to a service and to an installation: secrets and volumes go with theirs, and a neighbour's are left alone. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type Docker from 'dockerode';
import { until } from '../../../test/support/docker-fixtures.js';
import { startSwarmFixtures, type SwarmFixtures } from '../../../test/support/swarm-fixtures.js';
import { SwarmCluster } from './swarm-cluster.js';
import { inspectService } from './swarm-services.js';

jest.setTimeout(90_000);

let swarm: SwarmFixtures;
let cluster: SwarmCluster;
let docker: Docker;

beforeAll(async () => {
  swarm = await startSwarmFixtures();
  ({ cluster, docker } = swarm);
});
afterAll(() => swarm.clean());

describe('secrets', () => {
  const secrets = { 'db.password': 'hunter2 with {{ braces', empty: ' ', key: 'line one\nline two\n' };

  it('are files of the service that hold just what they should, and nobody else sees', async () => {
    const service = swarm.desired('secret', 1, { secrets });
    expect(await swarm.deploy(service)).toEqual({ kind: 'converged' });
    const { container_id } = (await swarm.runningTask(service))!;
    expect(await swarm.run(container_id!, 'cat', '/run/secrets/db.password')).toBe('hunter2 with {{ braces');
    expect(await swarm.run(container_id!, 'cat', '/run/secrets/key')).toBe('line one\nline two\n');
    expect(await swarm.run(container_id!, 'ls', '-1', '/run/secrets')).toBe('db.password\nempty\nkey\n');
    expect(JSON.stringify(await inspectService(docker, service.name))).not.toContain('hunter2');
  });

  it('are those of their release alone, and go with its service', async () => {
    const [one, two] = [1, 2].map((release) =>
      swarm.desired(`secret-${release}`, release, {
        app_name: swarm.named('secrets'),
        secrets: { key: `key ${release}` },
      }),
    );
    for (const service of [one!, two!]) await swarm.deploy(service);
    expect(await swarm.secretsOf(one!.name)).toHaveLength(1);
    expect(await cluster.remove(one!.name)).toBe(true);
    expect(await swarm.secretsOf(one!.name)).toEqual([]);
    const { container_id } = (await swarm.runningTask(two!))!;
    expect(await swarm.run(container_id!, 'cat', '/run/secrets/key')).toBe('key 2');
  });

  it('of a service that never came to be are removed with it too', async () => {
    const service = swarm.desired('stillborn', 1, { secrets });
    await expect(cluster.create(service, AbortSignal.abort(new Error('undone')))).rejects.toThrow('undone');
    expect(await cluster.remove(service.name)).toBe(false);
    expect(await swarm.secretsOf(service.name)).toEqual([]);
  });
});

describe('what is not ours', () => {
  it('is not touched: a service that nobody labelled', async () => {
    const name = swarm.named('foreign');
    await docker.createService({}, { Name: name, TaskTemplate: { ContainerSpec: { Image: swarm.busybox } } });
    await expect(cluster.create(swarm.desired('foreign'))).rejects.toMatchObject({ code: 'name_taken' });
    expect(await cluster.scale(name, 0)).toBeUndefined();
    expect(await cluster.remove(name)).toBe(false);
    expect(await cluster.findService(name)).toMatchObject({ managed: false, replicas: 1 });
    expect((await cluster.services()).map((service) => service.name)).not.toContain(name);
  });

  it('is not touched: everything of another installation in the same Swarm', async () => {
    const source = swarm.named('theirs');
    const service = swarm.desired('theirs', 1, {
      secrets: { key: 'theirs' },
      volumes: [{ source, target: '/data', read_only: false }],
    });
    const neighbour = new SwarmCluster(swarm.client, { installation: `${swarm.prefix}-neighbour` });
    await neighbour.create(service);
    expect(await swarm.settled(service)).toEqual({ kind: 'converged' });

    await expect(cluster.create(service)).rejects.toMatchObject({ code: 'name_taken' });
    expect(await cluster.findService(service.name)).toMatchObject({ managed: false });
    expect(await neighbour.findService(service.name)).toMatchObject({ managed: true });
    expect(await cluster.services(service)).toEqual([]);
    expect((await neighbour.services()).map(({ name }) => name)).toEqual([service.name]);
    expect(await cluster.scale(service.name, 0)).toBeUndefined();
    expect(await cluster.remove(service.name)).toBe(false);
    expect(await swarm.secretsOf(service.name)).toHaveLength(1);
    expect(await neighbour.scale(service.name, 1)).toBe(1);

    expect(await neighbour.remove(service.name)).toBe(true);
    expect(await swarm.secretsOf(service.name)).toEqual([]);
    expect(await cluster.removeVolumes([source])).toEqual([]);
    await until(async () => (await neighbour.removeVolumes([source])).length > 0, 'the volume is free');
  });

  it('is not removed: a volume that nobody labelled', async () => {
    const Name = swarm.named('by-hand');
    await docker.createVolume({ Name });
    expect(await cluster.removeVolumes([Name, swarm.named('never-there')])).toEqual([swarm.named('never-there')]);
    expect(await docker.getVolume(Name).inspect()).toMatchObject({ Name });
  });
});
