import { expect, it } from '@jest/globals';
import { jobSpec } from './job-spec.js';

it('is a service that is never restarted, on one node, under a label of its own', () => {
  const spec = jobSpec(
    {
      name: 'shop-job-1',
      app_name: 'shop',
      environment: 'staging',
      project: 'store',
      deployment_id: 'dep-1',
      image: 'shop:1',
      command: ['npm', 'run', 'migrate'],
      env: { B: '{{ 2 }}', A: '1' },
      secrets: { key: 'clear' },
      resources: { memory_limit_mb: 64 },
    },
    { installation: 'here', project: 'network-1', node: 'node-1', secrets: [{ id: 's1', name: 'made', file: 'key' }] },
  );
  expect(spec).toEqual({
    Name: 'shop-job-1',
    Labels: {
      'flukedeploy.managed': 'true',
      'flukedeploy.installation': 'here',
      'flukedeploy.job': 'shop',
      'flukedeploy.environment': 'staging',
      'flukedeploy.project': 'store',
      'flukedeploy.deployment': 'dep-1',
    },
    TaskTemplate: {
      ContainerSpec: {
        Image: 'shop:1',
        Labels: { 'flukedeploy.managed': 'true', 'flukedeploy.deployment': 'dep-1' },
        Command: ['npm', 'run', 'migrate'],
        Env: ['A=1', 'B={{"{{"}} 2 }}'],
        Mounts: [],
        Secrets: [{ SecretID: 's1', SecretName: 'made', File: { Name: 'key', UID: '0', GID: '0', Mode: 0o444 } }],
        HealthCheck: { Test: ['NONE'] },
        Init: true,
        StopGracePeriod: 10_000_000_000,
      },
      Resources: { Limits: { MemoryBytes: 64 * 1024 * 1024 }, Reservations: {} },
      RestartPolicy: { Condition: 'none' },
      Placement: { Constraints: ['node.id==node-1'] },
      Networks: [{ Target: 'network-1' }],
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: 1 } },
    EndpointSpec: { Mode: 'dnsrr' },
  });
});
