import { expect, it } from '@jest/globals';
import type { DesiredService } from '../../domain/ports.js';
import { serviceSpec } from './service-spec.js';

const MINIMAL: DesiredService = {
  name: 'web--staging',
  app_name: 'web',
  environment: 'staging',
  project: 'shop',
  deployment_id: 'dep-7',
  release: 7,
  image: 'web@sha256:1',
  replicas: 2,
  env: {},
  command: [],
  ports: [],
  volumes: [],
  resources: {},
};

it('tells Swarm all of it', () => {
  expect(
    serviceSpec(
      {
        ...MINIMAL,
        env: { Z_LAST: '1', A_FIRST: 'with = and spaces' },
        command: ['serve', '--port', '80'],
        ports: [{ container_port: 80, host_port: 8080, protocol: 'tcp' }],
        volumes: [
          { source: 'data', target: '/data', read_only: false },
          { source: '/etc/app', target: '/config', read_only: true },
        ],
        resources: { cpu_limit: 0.5, memory_limit_mb: 256, cpu_reservation: 0.1, memory_reservation_mb: 64 },
      },
      'network-id',
    ),
  ).toEqual({
    Name: 'web--staging',
    Labels: {
      'flukedeploy.managed': 'true',
      'flukedeploy.app': 'web',
      'flukedeploy.environment': 'staging',
      'flukedeploy.project': 'shop',
      'flukedeploy.deployment': 'dep-7',
      'flukedeploy.release': '7',
    },
    TaskTemplate: {
      ContainerSpec: {
        Image: 'web@sha256:1',
        Labels: { 'flukedeploy.managed': 'true', 'flukedeploy.deployment': 'dep-7' },
        Args: ['serve', '--port', '80'],
        Env: ['A_FIRST=with = and spaces', 'Z_LAST=1'],
        Mounts: [
          {
            Type: 'volume',
            Source: 'data',
            Target: '/data',
            ReadOnly: false,
            VolumeOptions: { Labels: { 'flukedeploy.managed': 'true' } },
          },
          { Type: 'bind', Source: '/etc/app', Target: '/config', ReadOnly: true },
        ],
        Init: true,
        StopGracePeriod: 10_000_000_000,
      },
      Resources: {
        Limits: { NanoCPUs: 500_000_000, MemoryBytes: 268_435_456 },
        Reservations: { NanoCPUs: 100_000_000, MemoryBytes: 67_108_864 },
      },
      RestartPolicy: { Condition: 'any', Delay: 1_000_000_000 },
      Networks: [{ Target: 'network-id', Aliases: ['srv-captain--web--staging'] }],
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: 2 } },
    UpdateConfig: {
      Parallelism: 1,
      Order: 'stop-first',
      Monitor: 2_000_000_000,
      FailureAction: 'rollback',
      MaxFailureRatio: 0,
    },
    RollbackConfig: { Parallelism: 0, Order: 'stop-first', Monitor: 1_000_000_000 },
    EndpointSpec: {
      Mode: 'dnsrr',
      Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }],
    },
  });
});

it('starts the new task before it stops the old one, where nothing is held by one at a time', () => {
  const spec = serviceSpec(MINIMAL, 'network-id');
  expect(spec.UpdateConfig).toMatchObject({ Order: 'start-first' });
  expect(spec.RollbackConfig).toMatchObject({ Order: 'start-first' });
});

it("leaves the image's own command and the engine's own limits alone", () => {
  const { TaskTemplate } = serviceSpec(MINIMAL, 'network-id');
  expect(TaskTemplate.ContainerSpec).not.toHaveProperty('Args');
  expect(TaskTemplate.Resources).toEqual({ Limits: {}, Reservations: {} });
});
