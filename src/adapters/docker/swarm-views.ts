/** How Swarm's own objects read as the views of the `Cluster` port. */
import type Docker from 'dockerode';
import type { ClusterView, NodeView, ServiceView, TaskView } from '../../domain/ports.js';
import type { SwarmNode, SwarmTask } from './docker-types.js';
import { LABEL } from './service-spec.js';

/** States of a task whose container has an exit code; before, Swarm says 0. */
const ENDED = new Set(['complete', 'failed', 'shutdown']);

export function serviceView(service: Docker.Service): ServiceView {
  const spec = service.Spec ?? {};
  const labels = spec.Labels ?? {};
  const { [LABEL.app]: app_name, [LABEL.deployment]: deployment_id, [LABEL.release]: release } = labels;
  const { UpdateStatus: update } = service;
  return {
    id: service.ID,
    name: spec.Name ?? '',
    managed: isManaged(spec),
    ...(app_name && { app_name }),
    ...(deployment_id && { deployment_id }),
    ...(release && { release: Number(release) }),
    image: imageOf(spec),
    replicas: spec.Mode?.Replicated?.Replicas ?? 0,
    ...(update?.State && { update: { state: update.State, message: update.Message ?? '' } }),
  };
}

export function isManaged(spec: Docker.ServiceSpec | undefined): boolean {
  return spec?.Labels?.[LABEL.managed] === 'true';
}

export function deploymentOf(spec: Docker.ServiceSpec | undefined): string | undefined {
  return spec?.Labels?.[LABEL.deployment];
}

export function imageOf(spec: Docker.ServiceSpec): string {
  const template = spec.TaskTemplate;
  return (template && 'ContainerSpec' in template && template.ContainerSpec?.Image) || '';
}

/**
 * @param hostname of the node with this id
 * @param now as milliseconds
 */
export function taskView(task: SwarmTask, hostname: (nodeId: string) => string, now: number): TaskView {
  const { ContainerID: container_id, ExitCode: exit_code } = task.Status.ContainerStatus ?? {};
  const over = ENDED.has(task.Status.State);
  return {
    id: task.ID,
    slot: task.Slot ?? 0,
    node: task.NodeID ? hostname(task.NodeID) : '',
    deployment_id: taskDeployment(task) ?? '',
    state: task.Status.State,
    desired_state: task.DesiredState,
    error: task.Status.Err ?? '',
    message: task.Status.Message ?? '',
    age_ms: Math.max(0, now - Date.parse(task.CreatedAt)),
    ...(over && exit_code !== undefined && { exit_code }),
    ...(container_id && { container_id }),
  };
}

export function taskDeployment(task: SwarmTask): string | undefined {
  return task.Spec.ContainerSpec?.Labels?.[LABEL.deployment];
}

/** @param tasks those that shall run; what they reserve is taken */
export function nodeView(node: SwarmNode, tasks: readonly SwarmTask[]): NodeView {
  const reservations = tasks
    .filter(({ NodeID }) => NodeID === node.ID)
    .map(({ Spec }) => Spec.Resources?.Reservations ?? {});
  const { Hostname, Platform, Resources } = node.Description;
  return {
    id: node.ID,
    hostname: Hostname,
    ready: node.Status.State === 'ready' && node.Spec.Availability === 'active',
    architecture: Platform.Architecture,
    os: Platform.OS,
    cpus: (Resources.NanoCPUs ?? 0) / 1e9,
    memory_bytes: Resources.MemoryBytes ?? 0,
    reserved_cpus: sum(reservations.map(({ NanoCPUs }) => NanoCPUs)) / 1e9,
    reserved_memory_bytes: sum(reservations.map(({ MemoryBytes }) => MemoryBytes)),
  };
}

export function publishedPorts(services: readonly Docker.Service[]): ClusterView['published_ports'] {
  return services.flatMap(({ Spec, Endpoint }) =>
    (Endpoint?.Ports ?? Spec?.EndpointSpec?.Ports ?? []).flatMap(({ PublishedPort: port, Protocol: protocol }) =>
      port === undefined ? [] : [{ port, protocol: protocol ?? 'tcp', service: Spec?.Name ?? '' }],
    ),
  );
}

function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((total, number) => total + (number ?? 0), 0);
}
