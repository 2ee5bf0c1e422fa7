import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type Docker from 'dockerode';
import { until } from '../../../test/support/docker-fixtures.js';
import { startSwarmFixtures, type SwarmFixtures } from '../../../test/support/swarm-fixtures.js';
import { freePort } from '../../../test/support/test-registry.js';
import { SwarmCluster } from './swarm-cluster.js';
import { compareAndSet, inspectService, updateService } from './swarm-services.js';

jest.setTimeout(90_000);

let swarm: SwarmFixtures;
let cluster: SwarmCluster;
let docker: Docker;

beforeAll(async () => {
  swarm = await startSwarmFixtures();
  ({ cluster, docker } = swarm);
});
afterAll(() => swarm.clean());

function body(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString()));
      response.on('end', () => resolve(text.trim()));
    }).on('error', reject);
  });
}

interface Attachment {
  readonly IPv4Address: string;
}

describe('the cluster', () => {
  it('shows nodes, what tasks reserve of them, and published ports', async () => {
    const port = await freePort();
    const service = swarm.desired('view', 1, {
      resources: { cpu_reservation: 0.01, memory_reservation_mb: 1024 },
      ports: [{ container_port: 80, host_port: port, protocol: 'tcp' }],
    });
    expect(await swarm.deploy(service)).toEqual({ kind: 'converged' });

    const view = await cluster.view();
    expect(view).toMatchObject({ swarm_active: true, nodes: [{ ready: true, os: 'linux' }] });
    expect(view.nodes[0]!.reserved_memory_bytes).toBeGreaterThanOrEqual(1024 ** 3);
    expect(view.nodes[0]!.cpus).toBeGreaterThan(view.nodes[0]!.reserved_cpus);
    expect(view.published_ports).toContainEqual({ port, protocol: 'tcp', service: service.name });
    expect(await body(`http://127.0.0.1:${port}/`)).toBe('release 1');

    // The next version waits for the port until the one before has left it, which is no failure.
    const next = swarm.desired('view-next', 2, { ports: service.ports });
    await cluster.create(next);
    expect(await cluster.scale(service.name, 0)).toBe(1);
    expect(await swarm.settled(next)).toEqual({ kind: 'converged' });
    expect(await body(`http://127.0.0.1:${port}/`)).toBe('release 2');
  });
});

describe('create', () => {
  it('makes the service of one release beside those of others, and answers "unchanged" the second time', async () => {
    const first = swarm.desired('web', 1, { replicas: 2 });
    expect(await cluster.findService(first.name)).toBeUndefined();
    expect(await cluster.tasks(first.name)).toEqual([]);
    expect(await cluster.create(first)).toBe('created');
    expect(await swarm.settled(first)).toEqual({ kind: 'converged' });
    expect(await cluster.create(first)).toBe('unchanged');
    // Only the number of its replicas ever changes, and that is not for this call to do.
    expect(await cluster.create({ ...first, replicas: 5 })).toBe('unchanged');

    const second = swarm.desired('web-2', 2, { app_name: first.app_name });
    expect(await swarm.deploy(second)).toEqual({ kind: 'converged' });
    const views = await cluster.services(first);
    expect(views.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual([
      {
        id: expect.any(String),
        name: first.name,
        managed: true,
        app_name: first.app_name,
        environment: 'production',
        deployment_id: 'dep-1',
        release: 1,
        content: 'content-1',
        image: swarm.busybox,
        replicas: 2,
      },
      expect.objectContaining({ name: second.name, deployment_id: 'dep-2', release: 2, replicas: 1 }),
    ]);
    expect((await cluster.tasks(first.name)).map(({ slot }) => slot).sort()).toEqual([1, 2]);
    expect((await cluster.tasks(second.name)).map(({ deployment_id }) => deployment_id)).toEqual(['dep-2']);
    expect(await cluster.services({ ...first, environment: 'staging' })).toEqual([]);
  });

  it('makes nothing once its signal has aborted', async () => {
    const service = swarm.desired('aborted');
    await expect(cluster.create(service, AbortSignal.abort(new Error('undone')))).rejects.toThrow('undone');
    expect(await cluster.findService(service.name)).toBeUndefined();
  });

  it('refuses the name to another deployment', async () => {
    const service = swarm.desired('taken');
    await cluster.create(service);
    const other = { ...service, deployment_id: 'dep-9' };
    await expect(cluster.create(other)).rejects.toMatchObject({ code: 'name_taken' });
    expect(await cluster.findService(service.name)).toMatchObject({ deployment_id: 'dep-1' });
  });

  it('reaches every task over HTTP, and tasks reach their app by both names, whichever release they are', async () => {
    const service = swarm.desired('net_r1', 1, { app_name: swarm.named('net'), replicas: 2 });
    await swarm.deploy(service);
    for (const task of await cluster.tasks(service.name)) {
      expect(await body(`http://${(await cluster.address(task))!}/`)).toBe('release 1');
    }
    const { container_id } = (await swarm.runningTask(service))!;
    for (const name of [service.name, service.app_name, `srv-captain--${service.app_name}`]) {
      expect(await swarm.run(container_id!, 'wget', '-qO-', `http://${name}/`)).toContain('release 1');
    }
    expect(await cluster.address({ ...(await swarm.runningTask(service))!, id: 'gone' })).toBeUndefined();
  });

  it('runs an image by its id, which no registry knows', async () => {
    const { Id } = await docker.getImage(swarm.busybox).inspect();
    expect(await swarm.deploy(swarm.desired('by-id', 1, { image: Id }))).toEqual({ kind: 'converged' });
  });

  it('makes one service and one network when several workers come at once, in a project that is new', async () => {
    const project = `${swarm.prefix}-race`;
    const service = swarm.desired('race', 1, { project, secrets: { key: 'value' } });
    const outcomes = await Promise.all([1, 2, 3].map(() => cluster.create(service)));
    expect(outcomes.toSorted()).toEqual(['created', 'unchanged', 'unchanged']);
    expect(await docker.listNetworks({ filters: { name: [`flukedeploy-${project}`] } })).toHaveLength(1);
    expect(await swarm.secretsOf(service.name)).toHaveLength(1);
  });

  it('never overwrites a change that it has not read', async () => {
    const service = swarm.desired('stale');
    await cluster.create(service);
    const read = (await inspectService(docker, service.name))!;
    expect(
      await updateService(docker, read, { ...read.Spec, Labels: { ...read.Spec?.Labels, mine: 'first' } }, {}),
    ).toBe(true);
    expect(
      await updateService(docker, read, { ...read.Spec, Labels: { ...read.Spec?.Labels, mine: 'late' } }, {}),
    ).toBe(false);
    expect((await inspectService(docker, service.name))?.Spec?.Labels).toMatchObject({ mine: 'first' });

    const late = () => updateService(docker, read, read.Spec!, {});
    await expect(compareAndSet('stale', async () => (await late()) || undefined)).rejects.toMatchObject({
      code: 'service_changed',
    });
  });

  it('tells a refusal as it is', async () => {
    const service = swarm.desired('refused', 1, { resources: { memory_limit_mb: 1 } });
    await expect(cluster.create(service)).rejects.toMatchObject({ message: expect.stringMatching(/memory/i) });
    expect(await cluster.findService(service.name)).toBeUndefined();
  });
});

describe('scale', () => {
  it('changes the number of replicas and replaces none, and answers how many there were', async () => {
    const service = swarm.desired('scaled');
    await swarm.deploy(service);
    const before = await swarm.runningTask(service);
    expect(await cluster.scale(service.name, 3)).toBe(1);
    expect(await swarm.settled({ ...service, replicas: 3 })).toEqual({ kind: 'converged' });
    expect(await cluster.scale(service.name, 3)).toBe(3);
    expect((await cluster.tasks(service.name)).map(({ id }) => id)).toContain(before!.id);

    expect(await cluster.scale(service.name, 0)).toBe(3);
    await until(async () => !(await swarm.runningTask(service)), 'no replica runs');
    expect(await cluster.findService(service.name)).toMatchObject({ replicas: 0, deployment_id: 'dep-1' });
    expect(await cluster.scale(service.name, 1)).toBe(0);
    expect(await swarm.settled(service)).toEqual({ kind: 'converged' });
  });

  it('does nothing where there is no such service, and nothing once its signal has aborted', async () => {
    expect(await cluster.scale(swarm.named('nothing'), 2)).toBeUndefined();
    const service = swarm.desired('unscaled');
    await cluster.create(service);
    await expect(cluster.scale(service.name, 2, AbortSignal.abort(new Error('undone')))).rejects.toThrow('undone');
    expect(await cluster.findService(service.name)).toMatchObject({ replicas: 1 });
  });

  it('loses no change where several come at once', async () => {
    const service = swarm.desired('scale-race');
    await cluster.create(service);
    await Promise.all([2, 3].map((replicas) => cluster.scale(service.name, replicas)));
    expect([2, 3]).toContain((await cluster.findService(service.name))?.replicas);
  });
});

describe('remove', () => {
  it('takes the service away with its tasks, once', async () => {
    const service = swarm.desired('removed');
    await swarm.deploy(service);
    expect(await cluster.remove(service.name)).toBe(true);
    expect(await cluster.findService(service.name)).toBeUndefined();
    expect(await cluster.remove(service.name)).toBe(false);
    expect(await cluster.tasks(service.name)).toEqual([]);
  });

  it('leaves named volumes, which go by themselves once nothing uses them', async () => {
    const source = swarm.named('data');
    const service = swarm.desired('volume', 1, { volumes: [{ source, target: '/data', read_only: false }] });
    await swarm.deploy(service);
    expect(await cluster.removeVolumes([source])).toEqual([]);
    await cluster.remove(service.name);
    await until(async () => (await cluster.removeVolumes([source])).length > 0, 'the volume is free');
    expect(await cluster.removeVolumes([source])).toEqual([source]);
    await expect(docker.getVolume(source).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe('the network of the edge', () => {
  it('is joined by what is exposed only, whose tasks then have their address there', async () => {
    const edgeNetwork = `flukedeploy-${swarm.prefix}-edge`;
    const edged = new SwarmCluster(swarm.client, { installation: swarm.prefix, edgeNetwork });
    const [exposed, internal] = [true, false].map((flag) => swarm.desired(`exposed-${flag}`, 1, { exposed: flag }));
    for (const service of [exposed!, internal!]) {
      await edged.create(service);
      expect(await swarm.settled(service)).toEqual({ kind: 'converged' });
    }
    const network = (await docker.getNetwork(edgeNetwork).inspect()) as { Containers: Record<string, Attachment> };
    const attached = Object.values(network.Containers).map(({ IPv4Address }) => IPv4Address.split('/')[0]);
    expect((await edged.tasks(exposed!.name)).every(({ address }) => attached.includes(address))).toBe(true);
    const [inside] = await edged.tasks(internal!.name);
    expect(inside?.address).toMatch(/^\d+(\.\d+){3}$/);
    expect(attached).not.toContain(inside?.address);
  });
});
