/** Shapes of the Engine API that @types/dockerode leaves out or calls `any`; only the fields that are read here. */
import type Docker from 'dockerode';

/** `GET /tasks`. */
export interface SwarmTask {
  readonly ID: string;
  readonly CreatedAt: string;
  readonly NodeID?: string;
  readonly Slot?: number;
  readonly DesiredState: string;
  readonly Spec: {
    readonly ContainerSpec?: { readonly Labels?: Readonly<Record<string, string>> };
    readonly Resources?: { readonly Reservations?: { readonly NanoCPUs?: number; readonly MemoryBytes?: number } };
  };
  readonly Status: {
    readonly State: string;
    readonly Err?: string;
    readonly Message?: string;
    readonly ContainerStatus?: { readonly ContainerID?: string; readonly ExitCode?: number };
  };
  readonly NetworksAttachments?: readonly {
    readonly Network: {
      readonly ID: string;
      readonly Spec?: { readonly Name: string; readonly Labels?: Readonly<Record<string, string>> };
    };
    /** In CIDR notation. */
    readonly Addresses?: readonly string[];
  }[];
}

/** `GET /nodes`. */
export interface SwarmNode {
  readonly ID: string;
  readonly Spec: { readonly Availability: string };
  readonly Status: { readonly State: string };
  readonly Description: {
    readonly Hostname: string;
    readonly Platform: { readonly Architecture: string; readonly OS: string };
    readonly Resources: { readonly NanoCPUs?: number; readonly MemoryBytes?: number };
  };
}

/** `GET /info`. */
export interface EngineInfo {
  readonly ServerVersion: string;
  readonly Swarm: { readonly LocalNodeState: string; readonly ControlAvailable?: boolean; readonly NodeID: string };
}

/** A service spec with the parts that we always set. */
export interface SwarmServiceSpec extends Omit<Docker.ServiceSpec, 'TaskTemplate'> {
  Name: string;
  Labels: Record<string, string>;
  TaskTemplate: Omit<Docker.ContainerTaskSpec, 'ContainerSpec'> & {
    ForceUpdate: number;
    ContainerSpec: Omit<Docker.ContainerSpec, 'Mounts'> & { Mounts: ServiceMount[] };
  };
}

/** A mount as the API takes it; the types of dockerode demand fields that are optional. */
export interface ServiceMount {
  Type: 'volume' | 'bind';
  Source: string;
  Target: string;
  ReadOnly: boolean;
  VolumeOptions?: { Labels: Record<string, string> };
}

/** `GET /images/{name}/json`. */
export interface EngineImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  /** `name@sha256:…` for each registry that is known to have it. */
  readonly RepoDigests?: readonly string[] | null;
  readonly Created?: string;
  readonly Architecture: string;
  readonly Os: string;
  readonly Size: number;
  readonly Config?: {
    readonly User?: string;
    /** `NAME=value`. */
    readonly Env?: readonly string[] | null;
    /** By port and protocol, such as `80/tcp`. */
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
    /** By path. */
    readonly Volumes?: Readonly<Record<string, unknown>> | null;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Healthcheck?: { readonly Test?: readonly string[] };
  } | null;
}

/** One of `GET /images/{name}/history`, which begins with the newest. */
export interface EngineImageLayer {
  readonly CreatedBy: string;
  readonly Size: number;
}
