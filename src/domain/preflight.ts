/** Which wishes the cluster cannot meet, judged before anything is touched. Pure: the facts come in, findings go out. */
import { isExclusive, type Resources } from './app-spec.js';
import type { ErrorCode } from './errors.js';
import type { Finding, PluginDeployment } from './plugin.js';
import type { StrategyType } from './strategy.js';
import type { ClusterView, ImageView, NodeView, ServiceView } from './ports.js';

export interface PreflightInput {
  readonly deployment: PluginDeployment;
  readonly service_name: string;
  readonly cluster: ClusterView;
  /** The service of that name, where there is one. */
  readonly service: ServiceView | undefined;
  readonly image: ImageView | undefined;
}

const MEGABYTE = 1024 * 1024;

export function preflight(input: PreflightInput): Finding[] {
  const { cluster, service, deployment } = input;
  if (!cluster.swarm_active) return [error('swarm_inactive', 'Docker is not part of a Swarm.')];
  const nodes = cluster.nodes.filter(({ ready }) => ready);
  if (nodes.length === 0) return [error('no_suitable_node', 'No node of the Swarm is ready.')];
  return [
    ...strategyFindings(input),
    ...(service && !(service.managed && service.deployment_id === deployment.id)
      ? [error('name_taken', `A service named ${input.service_name} exists and is not this deployment's.`)]
      : []),
    ...portFindings(input, nodes),
    ...volumeFindings(input, nodes),
    ...capacityFindings(input, nodes),
    ...imageFindings(input, nodes),
  ];
}

function strategyFindings({ deployment }: PreflightInput): Finding[] {
  const conflict = strategyConflict(deployment, deployment.strategy);
  return conflict === undefined ? [] : [error('strategy_unsupported', conflict)];
}

/** Why the app cannot be deployed by its strategy. */
export function strategyConflict(
  app: Pick<PluginDeployment, 'ports' | 'volumes'>,
  strategy: StrategyType,
): string | undefined {
  if (!isExclusive(app) || strategy === 'rolling') return undefined;
  return `${strategy} runs two versions at once, which volumes and host ports do not allow.`;
}

function portFindings({ deployment, cluster, service_name }: PreflightInput, nodes: readonly NodeView[]): Finding[] {
  const { ports, replicas, before } = deployment;
  const own = [service_name, ...(before?.services ?? [])];
  const findings = ports.flatMap(({ host_port, protocol }) => {
    const holder = cluster.published_ports.find(
      (held) => held.port === host_port && held.protocol === protocol && !own.includes(held.service),
    );
    return holder
      ? [error('port_in_use', `Port ${host_port}/${protocol} is published by the service ${holder.service}.`)]
      : [];
  });
  if (ports.length > 0 && replicas > nodes.length) {
    findings.push(
      error(
        'ports_exceed_nodes',
        `${replicas} replicas publish a port, but only ${count(nodes.length, 'node')} can hold it.`,
      ),
    );
  }
  if (ports.length > 0)
    findings.push(
      warning('port_in_use', 'Published ports are handed over with a short downtime: old first, then new.'),
    );
  return findings;
}

function volumeFindings({ deployment: { volumes } }: PreflightInput, nodes: readonly NodeView[]): Finding[] {
  if (volumes.length === 0) return [];
  const findings = [
    warning('volume_invalid', 'Volumes are handed over with a short downtime: old replica first, then new.'),
  ];
  const targets = volumes.map(({ target }) => target);
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  if (twice !== undefined) findings.push(error('volume_invalid', `${twice} is the target of two volumes.`));
  if (nodes.length > 1)
    findings.push(
      warning('volume_invalid', 'Volumes stay on the node where they were made; replicas on other nodes see others.'),
    );
  return findings;
}

/** A replica must fit on one node as a whole; the node's other reservations count. */
function capacityFindings({ deployment }: PreflightInput, nodes: readonly NodeView[]): Finding[] {
  const { cpu_reservation = 0, memory_reservation_mb = 0, cpu_limit = 0, memory_limit_mb = 0 } = deployment.resources;
  const findings: Finding[] = [];
  if (cpu_limit > 0 && cpu_reservation > cpu_limit)
    findings.push(error('capacity_insufficient', 'cpu_reservation is above cpu_limit.'));
  if (memory_limit_mb > 0 && memory_reservation_mb > memory_limit_mb) {
    findings.push(error('capacity_insufficient', 'memory_reservation_mb is above memory_limit_mb.'));
  }
  if (cpu_reservation === 0 && memory_reservation_mb === 0) return findings;
  const needed = Math.max(0, deployment.replicas - (deployment.before?.replicas ?? 0)) + 1;
  const room = roomFor(deployment.resources, nodes);
  const wanted = `${cpu_reservation} CPU and ${memory_reservation_mb} MB`;
  if (room === 0) findings.push(error('capacity_insufficient', `No node has ${wanted} free for a replica.`));
  else if (room < needed)
    findings.push(
      warning(
        'capacity_insufficient',
        `There is room for ${room} more replicas with ${wanted}; the update needs ${needed}.`,
      ),
    );
  return findings;
}

/** How many more replicas the nodes have room for; any number where a replica reserves nothing. */
export function roomFor(
  { cpu_reservation = 0, memory_reservation_mb = 0 }: Resources,
  nodes: readonly NodeView[],
): number {
  return nodes
    .filter(({ ready }) => ready)
    .reduce((sum, node) => {
      const cpus = cpu_reservation > 0 ? (node.cpus - node.reserved_cpus) / cpu_reservation : Infinity;
      const memory =
        memory_reservation_mb > 0
          ? (node.memory_bytes - node.reserved_memory_bytes) / (memory_reservation_mb * MEGABYTE)
          : Infinity;
      return sum + Math.max(0, Math.floor(Math.min(cpus, memory)));
    }, 0);
}

function imageFindings({ image, deployment }: PreflightInput, nodes: readonly NodeView[]): Finding[] {
  if (image === undefined) return [];
  const findings: Finding[] = [];
  if (!nodes.some((node) => normalised(node.architecture) === normalised(image.architecture) && node.os === image.os)) {
    const there = [...new Set(nodes.map((node) => `${node.os}/${normalised(node.architecture)}`))].join(', ');
    findings.push(
      error('architecture_mismatch', `The image is for ${image.os}/${image.architecture}; the nodes are ${there}.`),
    );
  }
  if (image.reference.startsWith('sha256:') && nodes.length > 1) {
    findings.push(error('image_not_distributable', `The image is on one of ${nodes.length} nodes only.`));
  }
  if (!image.has_healthcheck && !deployment.has_health_check && deployment.replicas > 0) {
    const gate = deployment.port > 0 ? `accepting TCP connections on port ${deployment.port}` : 'running for a while';
    findings.push(
      warning(
        'unhealthy',
        `Neither the image nor the request has a health check: a replica counts as healthy when it is ${gate}.`,
      ),
    );
  }
  return findings;
}

/** Nodes say x86_64 where images say amd64. */
function normalised(architecture: string): string {
  return { x86_64: 'amd64', aarch64: 'arm64', armv7l: 'arm' }[architecture] ?? architecture;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function error(code: ErrorCode, message: string): Finding {
  return { severity: 'error', code, message };
}

function warning(code: ErrorCode, message: string): Finding {
  return { severity: 'warning', code, message };
}
