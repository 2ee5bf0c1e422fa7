/** What Swarm is told to run for an app: plain data made of plain data. */
import type Docker from 'dockerode';
import { placeName, type PortMapping, type Resources, type VolumeMount } from '../../domain/app-spec.js';
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
  /** Fingerprint of what the replicas are made of. */
  content: 'flukedeploy.content',
  /** Which of the installations that share a Swarm made it. */
  installation: 'flukedeploy.installation',
  /** Marks what belongs to a job, with the app's name. A job has no `app`: it is no version of it. */
  job: 'flukedeploy.job',
  /** The service that a secret belongs to. */
  service: 'flukedeploy.service',
} as const;

/** Swarm takes durations in nanoseconds. */
export const SECOND = 1_000_000_000;
const MEGABYTE = 1024 * 1024;
/** How long a program may take to end after SIGTERM. */
export const STOP_GRACE_SECONDS = 10;

/** What the service stands on, made before it; ids or names. */
export interface Surroundings {
  readonly installation: string;
  readonly project: string;
  readonly edge: readonly string[];
  readonly secrets: readonly { readonly id: string; readonly name: string; readonly file: string }[];
}

/** @param desired what the service shall be, with clear values in `env` */
export function serviceSpec(
  desired: DesiredService,
  { installation, project, edge, secrets }: Surroundings,
): SwarmServiceSpec {
  const place = placeName(desired.app_name, desired.environment);
  return {
    Name: desired.name,
    Labels: {
      [LABEL.managed]: 'true',
      [LABEL.installation]: installation,
      [LABEL.app]: desired.app_name,
      [LABEL.environment]: desired.environment,
      [LABEL.project]: desired.project,
      [LABEL.deployment]: desired.deployment_id,
      [LABEL.release]: String(desired.release),
      [LABEL.content]: desired.content,
    },
    TaskTemplate: {
      ContainerSpec: {
        Image: desired.image,
        Labels: { [LABEL.managed]: 'true', [LABEL.deployment]: desired.deployment_id },
        ...(desired.command.length > 0 && { Args: [...desired.command] }),
        Env: environment(desired.env),
        Mounts: desired.volumes.map((volume) => mount(volume, installation)),
        Secrets: secretFiles(secrets),
        Init: true,
        StopGracePeriod: STOP_GRACE_SECONDS * SECOND,
      },
      Resources: resources(desired.resources),
      RestartPolicy: { Condition: 'any', Delay: 1 * SECOND },
      // The app's name answers for whichever versions run; the second is the one that apps written for CapRover use.
      Networks: [
        { Target: project, Aliases: [place, `srv-captain--${place}`] },
        ...edge.map((network) => ({ Target: network })),
      ],
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: desired.replicas } },
    // Only the number of replicas is ever updated; no task is replaced by it.
    UpdateConfig: { Parallelism: 1, Order: 'start-first', FailureAction: 'continue' },
    // No virtual address and no routing mesh: not every kernel has IPVS, every one has DNS and its own ports.
    EndpointSpec: { Mode: 'dnsrr', Ports: desired.ports.map(port) },
  };
}

/** Swarm expands Go templates in environment values; a template that says `{{` keeps them as they are. */
export function environment(env: Readonly<Record<string, string>>): string[] {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${value.replaceAll('{{', '{{"{{"}}')}`)
    .sort();
}

export function secretFiles(secrets: Surroundings['secrets']): Docker.SecretReference[] {
  return secrets.map(({ id, name, file }) => ({
    SecretID: id,
    SecretName: name,
    File: { Name: file, UID: '0', GID: '0', Mode: 0o444 },
  }));
}

function port({ container_port, host_port, protocol }: PortMapping): {
  Protocol: 'tcp' | 'udp';
  TargetPort: number;
  PublishedPort: number;
  PublishMode: 'host';
} {
  return { Protocol: protocol, TargetPort: container_port, PublishedPort: host_port, PublishMode: 'host' };
}

function mount({ source, target, read_only }: VolumeMount, installation: string): ServiceMount {
  const place = { Source: source, Target: target, ReadOnly: read_only };
  return source.startsWith('/')
    ? { Type: 'bind', ...place }
    : {
        Type: 'volume',
        ...place,
        VolumeOptions: { Labels: { [LABEL.managed]: 'true', [LABEL.installation]: installation } },
      };
}

export function resources(asked: Resources): { Limits: ResourceAmount; Reservations: ResourceAmount } {
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
