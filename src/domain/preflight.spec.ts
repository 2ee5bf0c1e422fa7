import { describe, expect, it } from '@jest/globals';
import type { ClusterView, ImageView, NodeView } from './ports.js';
import type { PluginDeployment } from './plugin.js';
import { DEPLOYMENT } from '../plugin/testing/example.js';
import { preflight, type PreflightInput } from './preflight.js';

const GIB = 1024 ** 3;
const node: NodeView = {
  id: 'n1',
  hostname: 'one',
  ready: true,
  architecture: 'x86_64',
  os: 'linux',
  cpus: 2,
  memory_bytes: 4 * GIB,
  reserved_cpus: 0.5,
  reserved_memory_bytes: GIB,
};
const cluster: ClusterView = { swarm_active: true, engine_version: '28', nodes: [node], published_ports: [] };
const image: ImageView = {
  id: 'sha256:1',
  reference: 'web@sha256:1',
  digest: 'sha256:1',
  architecture: 'amd64',
  os: 'linux',
  has_healthcheck: true,
  size_bytes: 1,
};

function findings(change: Partial<PreflightInput>, app: Partial<PluginDeployment> = {}): string[] {
  const input = {
    deployment: { ...DEPLOYMENT, id: 'dep-2', ...app },
    service_name: 'web_r2',
    cluster,
    service: undefined,
    image,
    ...change,
  };
  return preflight(input).map(({ severity, code }) => `${severity} ${code}`);
}

const port = { container_port: 80, host_port: 8080, protocol: 'tcp' } as const;
const volume = { source: 'data', target: '/data', read_only: false } as const;
const two = { ...cluster, nodes: [node, { ...node, id: 'n2' }] };

describe('preflight', () => {
  it('finds nothing about an app that fits', () => {
    expect(findings({})).toEqual([]);
  });

  it.each<[string, Partial<PreflightInput>, Partial<PluginDeployment>, string[]]>([
    ['no Swarm', { cluster: { ...cluster, swarm_active: false } }, {}, ['error swarm_inactive']],
    ['no ready node', { cluster: { ...cluster, nodes: [{ ...node, ready: false }] } }, {}, ['error no_suitable_node']],
    [
      'a foreign service of that name',
      { service: { id: 's', name: 'web_r2', managed: false, image: 'x', replicas: 1 } },
      {},
      ['error name_taken'],
    ],
    [
      "another deployment's service of that name",
      { service: { id: 's', name: 'web_r2', managed: true, deployment_id: 'dep-1', image: 'x', replicas: 1 } },
      {},
      ['error name_taken'],
    ],
    [
      'nothing where it made the service itself before',
      { service: { id: 's', name: 'web_r2', managed: true, deployment_id: 'dep-2', image: 'x', replicas: 1 } },
      {},
      [],
    ],
    [
      'a strategy that needs two versions at once, with a volume',
      {},
      { strategy: 'canary', volumes: [volume] },
      ['error strategy_unsupported', 'warning volume_invalid'],
    ],
    [
      'a strategy that needs two versions at once, with a host port',
      {},
      { strategy: 'blue_green', ports: [port] },
      ['error strategy_unsupported', 'warning port_in_use'],
    ],
    ['nothing about such a strategy otherwise', {}, { strategy: 'blue_green' }, []],
    [
      'a port that another service holds',
      { cluster: { ...cluster, published_ports: [{ port: 8080, protocol: 'tcp', service: 'other' }] } },
      { ports: [port] },
      ['error port_in_use', 'warning port_in_use'],
    ],
    [
      'its own port',
      { cluster: { ...cluster, published_ports: [{ port: 8080, protocol: 'tcp', service: 'web_r2' }] } },
      { ports: [port] },
      ['warning port_in_use'],
    ],
    [
      'the port of the version that it replaces',
      { cluster: { ...cluster, published_ports: [{ port: 8080, protocol: 'tcp', service: 'web_r1' }] } },
      { ports: [port], before: { services: ['web_r1'], replicas: 1 } },
      ['warning port_in_use'],
    ],
    [
      'nothing about the same port of another protocol',
      { cluster: { ...cluster, published_ports: [{ port: 8080, protocol: 'udp', service: 'other' }] } },
      { ports: [port] },
      ['warning port_in_use'],
    ],
    [
      'more holders of a port than nodes',
      {},
      { ports: [port], replicas: 2 },
      ['error ports_exceed_nodes', 'warning port_in_use'],
    ],
    [
      'two volumes in one place',
      {},
      { volumes: [volume, { ...volume, source: 'b' }] },
      ['warning volume_invalid', 'error volume_invalid'],
    ],
    [
      'a volume on many nodes',
      { cluster: two },
      { volumes: [volume] },
      ['warning volume_invalid', 'warning volume_invalid'],
    ],
    [
      'a reservation above the limit',
      {},
      { resources: { cpu_limit: 0.2, cpu_reservation: 0.3 } },
      ['error capacity_insufficient'],
    ],
    [
      'more memory than a node has free',
      {},
      { resources: { memory_reservation_mb: 3 * 1024 + 1 } },
      ['error capacity_insufficient'],
    ],
    [
      'room for the replicas but not for one more',
      {},
      { resources: { cpu_reservation: 1 } },
      ['warning capacity_insufficient'],
    ],
    [
      'nothing where there is room for those that are added and one more',
      {},
      { replicas: 3, before: { services: ['web_r1'], replicas: 3 }, resources: { cpu_reservation: 1 } },
      [],
    ],
    ['a foreign architecture', { image: { ...image, architecture: 'arm64' } }, {}, ['error architecture_mismatch']],
    [
      'an image on one node of two',
      { cluster: two, image: { ...image, reference: 'sha256:1' } },
      {},
      ['error image_not_distributable'],
    ],
    ['no health check anywhere', { image: { ...image, has_healthcheck: false } }, {}, ['warning unhealthy']],
  ])('tells of %s', (_name, change, config, expected) => {
    expect(findings(change, config)).toEqual(expected);
  });
});
