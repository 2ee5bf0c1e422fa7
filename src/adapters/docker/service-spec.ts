/** What Swarm is told to run for an app: plain data made of plain data. */
import type { PortMapping, Resources, VolumeMount } from '../../domain/app-spec.js';
import type { DesiredService } from '../../domain/ports.js';
import type { ServiceMount, SwarmServiceSpec } from './docker-types.js';

/** Labels by which FlukeDeploy knows what is its own. */
export const LABEL = {
  managed: 'flukedeploy.managed',
  app: 'flukedeploy.app',
  environment: 'flukedeploy.environment',
  project: 'flukedeploy.project',
  deployment: 'flukedeploy.deployment',
  release: 'flukedeploy.release',
  /** The deployment that was live before; absent on a service that its deployment has created. */
  replaces: 'flukedeploy.replaces',
} as const;

/** Swarm takes durations in nanoseconds. */
const SECOND = 1_000_000_000;
const MEGABYTE = 1024 * 1024;

/**
 * @param desired what the service shall be, with clear values in `env`
 * @param network id or name of the project's overlay network
 */
export function serviceSpec(desired: DesiredService, network: string): SwarmServiceSpec {
  // A host port or a volume has one holder at a time: the old task must go before the new one comes.
  const exclusive = desired.ports.length > 0 || desired.volumes.length > 0;
  const order = exclusive ? 'stop-first' : 'start-first';
  return {
    Name: desired.name,
    Labels: {
      [LABEL.managed]: 'true',
      [LABEL.app]: desired.app_name,
      [LABEL.environment]: desired.environment,
      [LABEL.project]: desired.project,
      [LABEL.deployment]: desired.deployment_id,
      [LABEL.release]: String(desired.release),
    },
    TaskTemplate: {
      ContainerSpec: {
        Image: desired.image,
        Labels: { [LABEL.managed]: 'true', [LABEL.deployment]: desired.deployment_id },
        ...(desired.command.length > 0 && { Args: [...desired.command] }),
        Env: environment(desired.env),
        Mounts: desired.volumes.map(mount),
        Init: true,
        StopGracePeriod: 10 * SECOND,
      },
      Resources: resources(desired.resources),
      RestartPolicy: { Condition: 'any', Delay: 1 * SECOND },
      // Its own name answers anyway; the second is the one that apps written for CapRover use.
      Networks: [{ Target: network, Aliases: [`srv-captain--${desired.name}`] }],
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: desired.replicas } },
    UpdateConfig: {
      Parallelism: 1,
      Order: order,
      // Long enough for a crash at the start; later ones are for post_deploy to see.
      Monitor: 2 * SECOND,
      FailureAction: 'rollback',
      MaxFailureRatio: 0,
    },
    RollbackConfig: { Parallelism: 0, Order: order, Monitor: 1 * SECOND },
    // No virtual address and no routing mesh: not every kernel has IPVS, every one has DNS and its own ports.
    EndpointSpec: { Mode: 'dnsrr', Ports: desired.ports.map(port) },
  };
}

/** Swarm expands Go templates in environment values; a template that says `{{` keeps them as they are. */
function environment(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value.replaceAll('{{', '{{"{{"}}')}`)
    .sort();
}

function port({ container_port, host_port, protocol }: PortMapping): {
  Protocol: 'tcp' | 'udp';
  TargetPort: number;
  PublishedPort: number;
  PublishMode: 'host';
} {
  return { Protocol: protocol, TargetPort: container_port, PublishedPort: host_port, PublishMode: 'host' };
}

function mount({ source, target, read_only }: VolumeMount): ServiceMount {
  const place = { Source: source, Target: target, ReadOnly: read_only };
  return source.startsWith('/')
    ? { Type: 'bind', ...place }
    : { Type: 'volume', ...place, VolumeOptions: { Labels: { [LABEL.managed]: 'true' } } };
}

function resources(asked: Resources): { Limits: ResourceAmount; Reservations: ResourceAmount } {
  return {
    Limits: amount(asked.cpu_limit, asked.memory_limit_mb),
    Reservations: amount(asked.cpu_reservation, asked.memory_reservation_mb),
  };
}

interface ResourceAmount {
  NanoCPUs?: number;
  MemoryBytes?: number;
}

function amount(cpus: number | undefined, megabytes: number | undefined): ResourceAmount {
  return {
    ...(cpus !== undefined && { NanoCPUs: Math.round(cpus * 1e9) }),
    ...(megabytes !== undefined && { MemoryBytes: megabytes * MEGABYTE }),
  };
}
