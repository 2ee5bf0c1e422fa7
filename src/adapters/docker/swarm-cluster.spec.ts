import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type Docker from 'dockerode';
import { until } from '../../../test/support/docker-fixtures.js';
import { startSwarmFixtures, type SwarmFixtures } from '../../../test/support/swarm-fixtures.js';
import { freePort } from '../../../test/support/test-registry.js';
import type { SwarmCluster } from './swarm-cluster.js';
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

    // The port has one holder at a time; the new task waits for the old one, which is no failure.
    const next = { ...service, ...swarm.desired('view', 2), ports: service.ports };
    expect(await swarm.deploy(next)).toEqual({ kind: 'converged' });
    expect(await body(`http://127.0.0.1:${port}/`)).toBe('release 2');
  });
});

describe('apply', () => {
  it('creates, answers "unchanged" the second time, and updates', async () => {
    const first = swarm.desired('web', 1, { replicas: 2 });
    expect(await cluster.findService(first.name)).toBeUndefined();
    expect(await cluster.apply(first)).toMatchObject({
      change: 'created',
      service: {
        name: first.name,
        managed: true,
        app_name: first.app_name,
        deployment_id: 'dep-1',
        release: 1,
        replicas: 2,
      },
    });
    expect(await swarm.settled(first)).toEqual({ kind: 'converged' });
    expect((await cluster.apply(first)).change).toBe('unchanged');

    const second = swarm.desired('web', 2, { replicas: 2 });
    expect((await cluster.apply(second)).change).toBe('updated');
    expect(await swarm.settled(second)).toEqual({ kind: 'converged' });
    expect(await cluster.findService(first.name)).toMatchObject({
      deployment_id: 'dep-2',
      update: { state: 'completed' },
    });
    expect((await cluster.tasks(first.name, 'dep-2')).map(({ slot }) => slot).sort()).toEqual([1, 2]);

    await expect(cluster.apply(first)).rejects.toMatchObject({ code: 'newer_deployment_live' });
  });

  it('reaches every task over HTTP, and tasks reach each other by both names', async () => {
    const service = swarm.desired('net', 1, { replicas: 2 });
    await swarm.deploy(service);
    for (const task of await cluster.tasks(service.name, 'dep-1')) {
      expect(await body(`http://${(await cluster.address(task))!}/`)).toBe('release 1');
    }
    const { container_id } = (await swarm.runningTask(service))!;
    for (const name of [service.name, `srv-captain--${service.name}`]) {
      const exec = await docker
        .getContainer(container_id!)
        .exec({ Cmd: ['wget', '-qO-', `http://${name}/`], AttachStdout: true });
      const stream = await exec.start({});
      const answer = await new Promise<string>((resolve) => {
        let text = '';
        stream.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text));
      });
      expect(answer).toContain('release 1');
    }
    expect(await cluster.address({ ...(await swarm.runningTask(service))!, id: 'gone' })).toBeUndefined();
  });

  it('runs an image by its id, which no registry knows', async () => {
    const { Id } = await docker.getImage(swarm.busybox).inspect();
    expect(await swarm.deploy(swarm.desired('by-id', 1, { image: Id }))).toEqual({ kind: 'converged' });
  });

  it('leaves a service alone that is not ours', async () => {
    const foreign = await docker.createService(
      {},
      { Name: swarm.named('foreign'), TaskTemplate: { ContainerSpec: { Image: swarm.busybox } } },
    );
    await expect(cluster.apply(swarm.desired('foreign'))).rejects.toMatchObject({ code: 'name_taken' });
    expect(await cluster.restore(swarm.named('foreign'), 'dep-1')).toBe('untouched');
    expect(await inspectService(docker, foreign.id)).toBeDefined();
  });

  it('lets the highest release win when several come at once, on a project that has no network yet', async () => {
    const project = `${swarm.prefix}-race`;
    const all = [1, 2, 3].map((release) => swarm.desired('race', release, { project }));
    const outcomes = await Promise.allSettled(all.map((one) => cluster.apply(one)));
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'newer_deployment_live' });
    }
    expect(await cluster.findService(swarm.named('race'))).toMatchObject({ release: 3 });
    expect(await docker.listNetworks({ filters: { name: [`flukedeploy-${project}`] } })).toHaveLength(1);
  });

  it('never overwrites a change that it has not read', async () => {
    const service = swarm.desired('stale');
    await cluster.apply(service);
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
    await expect(cluster.apply(service)).rejects.toMatchObject({ message: expect.stringMatching(/memory/i) });
    expect(await cluster.findService(service.name)).toBeUndefined();
  });
});

describe('restore', () => {
  it('puts the spec before back, once', async () => {
    await swarm.deploy(swarm.desired('back', 1));
    await cluster.apply(swarm.desired('back', 2, { replicas: 2 }));
    expect(await cluster.restore(swarm.named('back'), 'dep-2')).toBe('restored');
    expect(await cluster.findService(swarm.named('back'))).toMatchObject({
      deployment_id: 'dep-1',
      release: 1,
      replicas: 1,
    });
    expect(await cluster.restore(swarm.named('back'), 'dep-2')).toBe('untouched');
    await until(() => swarm.runningTask(swarm.desired('back', 1)), 'release 1 runs again');
  });

  it('has nothing to do where Swarm took the update back itself', async () => {
    await swarm.deploy(swarm.desired('auto', 1));
    const broken = swarm.desired('auto', 2, { command: ['sh', '-c', 'exit 3'] });
    const failed = await swarm.failure(await swarm.deploy(broken));
    expect(failed).toMatchObject({ code: 'container_crashed', message: expect.stringContaining('code 3') });

    await until(async () => {
      const service = await cluster.findService(broken.name);
      return service?.update?.state === 'rollback_completed';
    }, 'Swarm rolls back');
    expect(await swarm.failure(await swarm.settled(broken))).toMatchObject({ code: 'container_crashed' });
    expect(await cluster.restore(broken.name, 'dep-2')).toBe('untouched');
    expect(await cluster.findService(broken.name)).toMatchObject({ deployment_id: 'dep-1' });

    // The next one does not inherit the verdict.
    expect(await swarm.deploy(swarm.desired('auto', 3))).toEqual({ kind: 'converged' });
  });

  it('never removes a service that ran before, though Swarm has forgotten how', async () => {
    await swarm.deploy(swarm.desired('scaled', 1));
    await cluster.apply(swarm.desired('scaled', 2));
    await until(async () => {
      const read = (await inspectService(docker, swarm.named('scaled')))!;
      return updateService(docker, read, { ...read.Spec, Mode: { Replicated: { Replicas: 2 } } }, {});
    }, 'somebody scales by hand');
    await expect(cluster.restore(swarm.named('scaled'), 'dep-2')).rejects.toMatchObject({ code: 'service_changed' });
    expect(await cluster.findService(swarm.named('scaled'))).toMatchObject({ replicas: 2 });
  });
});
