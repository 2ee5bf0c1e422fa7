import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../../test/support/docker-fixtures.js';
import { startSwarmFixtures, type SwarmFixtures } from '../../../test/support/swarm-fixtures.js';
import { freePort } from '../../../test/support/test-registry.js';
import { judge } from '../../domain/convergence.js';
import type { DesiredService } from '../../domain/ports.js';

jest.setTimeout(90_000);

let swarm: SwarmFixtures;

beforeAll(async () => {
  swarm = await startSwarmFixtures();
});
afterAll(() => swarm.clean());

describe('what fails', () => {
  const cases: [string, Partial<DesiredService>, { code: string; message: RegExp; evidence?: string }][] = [
    [
      'crash',
      { command: ['sh', '-c', 'echo going down; exit 3'] },
      { code: 'container_crashed', message: /ended with code 3/, evidence: 'going down' },
    ],
    ['ends', { command: ['sh', '-c', 'echo bye'] }, { code: 'container_crashed', message: /code 0/, evidence: 'bye' }],
    ['image', { image: `sha256:${'0'.repeat(64)}` }, { code: 'image_not_found', message: /sha256:0000/ }],
    ['command', { command: ['/nope'] }, { code: 'command_not_found', message: /\/nope does not exist/ }],
    [
      'folder',
      { volumes: [{ source: '/nope/here', target: '/data', read_only: false }] },
      { code: 'task_rejected', message: /The folder \/nope\/here does not exist on node/ },
    ],
    [
      'memory',
      { resources: { memory_limit_mb: 16 }, command: ['sh', '-c', 'x=aaaaaaaa; while true; do x=$x$x; done'] },
      { code: 'out_of_memory', message: /more memory/ },
    ],
    [
      'large',
      { resources: { memory_reservation_mb: 10_000_000 } },
      { code: 'no_suitable_node', message: /insufficient resources/ },
    ],
  ];

  it.each(cases)('%s', async (name, fields, { code, message, evidence }) => {
    const service = swarm.desired(`fails-${name}`, 1, fields);
    const failed = await swarm.failure(await swarm.fails(service));
    expect(failed).toMatchObject({ code, message: expect.stringMatching(message) });
    if (evidence !== undefined) expect(failed.evidence).toContain(evidence);
    expect(await swarm.cluster.remove(service.name)).toBe(true);
  });

  it('a health check, even where the program ends with code 0 when it is stopped for it', async () => {
    const image = await swarm.build(
      'unhealthy',
      `FROM ${swarm.busybox}\nHEALTHCHECK --interval=1s --retries=3 CMD echo "not today"; exit 1\n`,
    );
    const command = ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 0.1; done'];
    const failed = await swarm.failure(await swarm.fails(swarm.desired('unhealthy', 1, { image, command })));
    expect(failed).toMatchObject({ code: 'unhealthy', message: expect.stringContaining('not today') });
  });

  it('a port that another service holds, and one that another program holds', async () => {
    const port = await freePort();
    const ports = [{ container_port: 80, host_port: port, protocol: 'tcp' }] as const;
    await swarm.deploy(swarm.desired('holder', 1, { ports }));
    const second = swarm.desired('second', 1, { ports });
    await swarm.cluster.create(second);
    const tasks = await until(async () => {
      const found = await swarm.cluster.tasks(second.name);
      return found.some(({ error }) => error !== '') && found;
    }, 'Swarm says why it cannot place the task');
    const found = { service: await swarm.cluster.findService(second.name), replicas: 1 };
    const after = (age_ms: number) =>
      judge({ ...found, tasks: tasks.map((task) => ({ ...task, age_ms })), since_ms: age_ms });
    expect(after(6_000)).toMatchObject({ kind: 'waiting' });
    expect(after(25_000)).toMatchObject({ kind: 'failed', code: 'port_in_use' });

    const taken = await freePort();
    const program = createServer().listen(taken, '0.0.0.0');
    try {
      const third = swarm.desired('third', 1, { ports: [{ container_port: 80, host_port: taken, protocol: 'tcp' }] });
      const failed = await swarm.failure(await swarm.fails(third));
      expect(failed).toMatchObject({ code: 'port_in_use', message: expect.stringContaining(String(taken)) });
    } finally {
      program.close();
    }
  });
});
