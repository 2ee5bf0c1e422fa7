/** How Swarm's own objects read as the views of the `Cluster` port. */
import type Docker from 'dockerode';
import type { ClusterView, NodeView, ServiceView, TaskView } from '../../domain/ports.js';
import type { SwarmNode, SwarmTask } from './docker-types.js';
import { LABEL } from './service-spec.js';

/** States of a task whose container has an exit code; before, Swarm says 0. */
const ENDED = new Set(['complete', 'failed', 'shutdown']);

export function serviceView(service: Docker.Service, installation: string): ServiceView {
  const spec = service.Spec ?? {};
  const labels = spec.Labels ?? {};
  const { [LABEL.app]: app_name, [LABEL.environment]: environment } = labels;
  const { [LABEL.deployment]: deployment_id, [LABEL.release]: release, [LABEL.content]: content } = labels;
  return {
    id: service.ID,
    name: spec.Name ?? '',
    managed: labels[LABEL.managed] === 'true' && labels[LABEL.installation] === installation,
    ...(app_name && { app_name }),
    ...(environment && { environment }),
    ...(deployment_id && { deployment_id }),
    ...(release && { release: Number(release) }),
    ...(content && { content }),
    image: imageOf(spec),
    replicas: spec.Mode?.Replicated?.Replicas ?? 0,
  };
}

export function imageOf(spec: Docker.ServiceSpec): string {
  const template = spec.TaskTemplate;
  return (template && 'ContainerSpec' in template && template.ContainerSpec?.Image) || '';
}

/**
 * @param hostname of the node with this id
 * @param edgeNetwork in which the edge reaches it
 * @param now as milliseconds
 */
export function taskView(
  task: SwarmTask,
  hostname: (nodeId: string) => string,
  edgeNetwork: string | undefined,
  now: number,
): TaskView {
  const address = addressOf(task, edgeNetwork);
  const { ContainerID: container_id, ExitCode: exit_code } = task.Status.ContainerStatus ?? {};
  const over = ENDED.has(task.Status.State);
  return {
    id: task.ID,
    slot: task.Slot ?? 0,
    node: task.NodeID ? hostname(task.NodeID) : '',
    deployment_id: task.Spec.ContainerSpec?.Labels?.[LABEL.deployment] ?? '',
    state: task.Status.State,
    desired_state: task.DesiredState,
    error: task.Status.Err ?? '',
    message: task.Status.Message ?? '',
    age_ms: Math.max(0, now - Date.parse(task.CreatedAt)),
    ...(over && exit_code !== undefined && { exit_code }),
    ...(container_id && { container_id }),
    ...(address && { address }),
  };
}

function addressOf({ NetworksAttachments = [] }: SwarmTask, edgeNetwork: string | undefined): string | undefined {
  const attachment =
    NetworksAttachments.find(({ Network }) => Network.Spec?.Name === edgeNetwork) ?? NetworksAttachments[0];
  return attachment?.Addresses?.[0]?.split('/')[0];
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
