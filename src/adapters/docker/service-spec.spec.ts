import { expect, it } from '@jest/globals';
import type { DesiredService } from '../../domain/ports.js';
import { serviceSpec, type Surroundings } from './service-spec.js';

const MINIMAL: DesiredService = {
  name: 'web--staging_r7',
  app_name: 'web',
  environment: 'staging',
  project: 'shop',
  deployment_id: 'dep-7',
  release: 7,
  image: 'web@sha256:1',
  replicas: 2,
  env: {},
  secrets: {},
  command: [],
  ports: [],
  volumes: [],
  resources: {},
  exposed: false,
  content: 'fingerprint',
};
const PLAIN: Surroundings = { installation: 'ours', project: 'project-id', edge: [], secrets: [] };

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
      {
        installation: 'ours',
        project: 'project-id',
        edge: ['edge-id'],
        secrets: [{ id: 'secret-id', name: 'flukedeploy-0123', file: 'db_password' }],
      },
    ),
  ).toEqual({
    Name: 'web--staging_r7',
    Labels: {
      'flukedeploy.managed': 'true',
      'flukedeploy.installation': 'ours',
      'flukedeploy.app': 'web',
      'flukedeploy.environment': 'staging',
      'flukedeploy.project': 'shop',
      'flukedeploy.deployment': 'dep-7',
      'flukedeploy.release': '7',
      'flukedeploy.content': 'fingerprint',
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
            VolumeOptions: { Labels: { 'flukedeploy.managed': 'true', 'flukedeploy.installation': 'ours' } },
          },
          { Type: 'bind', Source: '/etc/app', Target: '/config', ReadOnly: true },
        ],
        Secrets: [
          {
            SecretID: 'secret-id',
            SecretName: 'flukedeploy-0123',
            File: { Name: 'db_password', UID: '0', GID: '0', Mode: 0o444 },
          },
        ],
        Init: true,
        StopGracePeriod: 10_000_000_000,
      },
      Resources: {
        Limits: { NanoCPUs: 500_000_000, MemoryBytes: 268_435_456 },
        Reservations: { NanoCPUs: 100_000_000, MemoryBytes: 67_108_864 },
      },
      RestartPolicy: { Condition: 'any', Delay: 1_000_000_000 },
      Networks: [
        { Target: 'project-id', Aliases: ['web--staging', 'srv-captain--web--staging'] },
        { Target: 'edge-id' },
      ],
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: 2 } },
    UpdateConfig: { Parallelism: 1, Order: 'start-first', FailureAction: 'continue' },
    EndpointSpec: {
      Mode: 'dnsrr',
      Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }],
    },
  });
});

it('answers to the plain name of the app in production, whichever release it is', () => {
  const { TaskTemplate } = serviceSpec({ ...MINIMAL, environment: 'production', name: 'web_r7' }, PLAIN);
  expect(TaskTemplate.Networks).toEqual([{ Target: 'project-id', Aliases: ['web', 'srv-captain--web'] }]);
});

it('keeps what Swarm would take for a template as it is', () => {
  const { TaskTemplate } = serviceSpec({ ...MINIMAL, env: { GREETING: '{{.Name}} {{' } }, PLAIN);
  expect(TaskTemplate.ContainerSpec.Env).toEqual(['GREETING={{"{{"}}.Name}} {{"{{"}}']);
});

it('says nothing of secret files in the environment or the labels', () => {
  const spec = serviceSpec({ ...MINIMAL, secrets: { db_password: 'hunter2' } }, PLAIN);
  expect(JSON.stringify(spec)).not.toContain('hunter2');
});

it("leaves the image's own command and the engine's own limits alone", () => {
  const { TaskTemplate } = serviceSpec(MINIMAL, PLAIN);
  expect(TaskTemplate.ContainerSpec).not.toHaveProperty('Args');
  expect(TaskTemplate.Resources).toEqual({ Limits: {}, Reservations: {} });
});
