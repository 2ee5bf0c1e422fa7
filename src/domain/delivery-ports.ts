/** The ports on the way of an app into the cluster: sources, images, services, probes. */
import type { PortMapping, Resources, VolumeMount } from './app-spec.js';

export abstract class GitRemote {
  /**
   * The commit that `ref` (branch, tag or full commit id; empty = the default branch) names now.
   * @throws DeployError `git_ref_not_found`, `git_unreachable`, `git_host_refused`
   */
  abstract resolve(url: string, ref: string, token: string | undefined): Promise<string>;
  /** Checks the commit out into the empty folder. */
  abstract checkout(
    url: string,
    commit: string,
    token: string | undefined,
    folder: string,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Unpacks untrusted archives. */
export abstract class Archives {
  /** @throws DeployError `archive_unsafe`, `archive_invalid`, `archive_too_large` */
  abstract extract(archive: AsyncIterable<Uint8Array>, folder: string, signal: AbortSignal): Promise<void>;
}

export interface BuildOrder {
  /** Folder that is sent to Docker, less what its .dockerignore names. */
  readonly folder: string;
  /** Path of the Dockerfile inside the folder. */
  readonly dockerfile: string;
  readonly tag: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ImageView {
  readonly id: string;
  /** What Swarm is told to run: `name@sha256:…`, or the image id where no registry knows the image. */
  readonly reference: string;
  readonly digest: string;
  readonly architecture: string;
  readonly os: string;
  readonly has_healthcheck: boolean;
  readonly size_bytes: number;
}

/** Everything that an image says of itself. */
export interface ImageDetails {
  readonly id: string;
  readonly repo_tags: readonly string[];
  /** As in the Dockerfile's USER; empty = root. */
  readonly user: string;
  /** Clear values. */
  readonly env: Readonly<Record<string, string>>;
  readonly exposed_ports: readonly { readonly port: number; readonly protocol: string }[];
  readonly volumes: readonly string[];
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  /** `CMD` or `CMD-SHELL` and the command; absent where there is none, or it is switched off. */
  readonly healthcheck?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly size_bytes: number;
  /** ISO 8601; absent where the builder did not tell. */
  readonly created_at?: string;
  /** How it came about, the base first. */
  readonly history: readonly ImageLayer[];
}

export interface ImageLayer {
  /** The instruction, as the builder has written it down. */
  readonly created_by: string;
  readonly size_bytes: number;
}

export type OutputLine = (line: string) => void;

export abstract class Images {
  /** Builds and tags; every line of output goes to `output`. @throws DeployError `build_failed`, `docker_unavailable` */
  abstract build(order: BuildOrder, output: OutputLine, signal: AbortSignal): Promise<ImageView>;
  /** Pulls the reference (unless it only exists here) and pins it. @throws DeployError `image_not_found`, `registry_unreachable`, `registry_denied` */
  abstract resolve(reference: string, output: OutputLine, signal: AbortSignal): Promise<ImageView>;
  /** Pushes a local image to the configured registry under `name:tag`; `undefined` when no registry is configured. */
  abstract push(
    image: ImageView,
    name: string,
    tag: string,
    output: OutputLine,
    signal: AbortSignal,
  ): Promise<ImageView | undefined>;
  abstract inspect(reference: string): Promise<ImageView | undefined>;
  abstract describe(reference: string): Promise<ImageDetails | undefined>;
  /** Images on this node that FlukeDeploy has built; `references` are the names a release may know them by. */
  abstract built(): Promise<{ tag: string; deployment_id: string; references: readonly string[] }[]>;
  /** Removes the tag of an image that is not needed; no error when it is gone already. */
  abstract remove(tag: string): Promise<void>;
}

export interface NodeView {
  readonly id: string;
  readonly hostname: string;
  readonly ready: boolean;
  readonly architecture: string;
  readonly os: string;
  readonly cpus: number;
  readonly memory_bytes: number;
  readonly reserved_cpus: number;
  readonly reserved_memory_bytes: number;
}

export interface ClusterView {
  readonly swarm_active: boolean;
  readonly engine_version: string;
  readonly nodes: readonly NodeView[];
  readonly published_ports: readonly { readonly port: number; readonly protocol: string; readonly service: string }[];
}

/** Everything a service shall be: the replicas of one version. It never changes afterwards, but for their number. */
export interface DesiredService {
  readonly name: string;
  readonly app_name: string;
  readonly environment: string;
  readonly project: string;
  readonly deployment_id: string;
  readonly release: number;
  readonly image: string;
  readonly replicas: number;
  /** Clear values. */
  readonly env: Readonly<Record<string, string>>;
  /** Clear contents of files under /run/secrets, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly ports: readonly PortMapping[];
  readonly volumes: readonly VolumeMount[];
  readonly resources: Resources;
  /** Whether the edge must reach it. */
  readonly exposed: boolean;
  /** Fingerprint of everything that replicas are made of: services with equal ones are interchangeable. */
  readonly content: string;
}

export interface ServiceView {
  readonly id: string;
  readonly name: string;
  /** Whether this installation made it. */
  readonly managed: boolean;
  readonly app_name?: string;
  readonly environment?: string;
  readonly deployment_id?: string;
  readonly release?: number;
  readonly content?: string;
  readonly image: string;
  readonly replicas: number;
}

export interface TaskView {
  readonly id: string;
  readonly slot: number;
  readonly node: string;
  readonly deployment_id: string;
  readonly state: string;
  readonly desired_state: string;
  readonly error: string;
  readonly message: string;
  /** Since Swarm made the task. */
  readonly age_ms?: number;
  readonly exit_code?: number;
  readonly container_id?: string;
  /** IPv4 address in the network that it shares with the edge, else in its project's. */
  readonly address?: string;
}

/** What is known of a container that ended or is not well. Empty where it ran on a node out of reach. */
export interface ContainerEvidence {
  readonly out_of_memory: boolean;
  readonly exit_code?: number;
  /** Output of the last failing HEALTHCHECK. */
  readonly health_output?: string;
  readonly last_lines: readonly string[];
}

/** Every change is compare-and-set on Swarm's version index, and touches only what this installation made. */
export abstract class Cluster {
  abstract view(): Promise<ClusterView>;
  abstract findService(name: string): Promise<ServiceView | undefined>;
  /** All services of this installation, or those of one app. */
  abstract services(app?: { readonly app_name: string; readonly environment: string }): Promise<ServiceView[]>;
  /**
   * Creates the service; `unchanged` when this deployment has made it before. Nothing happens once the signal has aborted.
   * @throws DeployError `name_taken`, `docker_unavailable`
   */
  abstract create(desired: DesiredService, signal?: AbortSignal): Promise<'created' | 'unchanged'>;
  /** Answers how many replicas it had; `undefined` when there is no such service. @throws DeployError `service_changed` */
  abstract scale(serviceName: string, replicas: number, signal?: AbortSignal): Promise<number | undefined>;
  /** Removes the service with its secrets; false when it was gone already. */
  abstract remove(serviceName: string): Promise<boolean>;
  /** Removes the named volumes that no service mounts; answers those that are gone. Volumes of other nodes stay. */
  abstract removeVolumes(names: readonly string[]): Promise<string[]>;
  /** Tasks of the service, ended ones included. */
  abstract tasks(serviceName: string): Promise<TaskView[]>;
  abstract evidence(task: TaskView): Promise<ContainerEvidence>;
  /** Address at which this process itself reaches the task; `undefined` where it cannot. */
  abstract address(task: TaskView): Promise<string | undefined>;
}

export interface ProbeResult {
  readonly healthy: boolean;
  readonly http_status?: number;
  readonly duration_ms: number;
  /** Why it is not healthy, with the beginning of the body. */
  readonly reason?: string;
}

export interface FetchRequest {
  /** Upper case. */
  readonly method: string;
  /** `host` is the URL's where it is left out. What belongs to the connection, such as `transfer-encoding`, is refused. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Until the last byte. */
  readonly timeout_ms: number;
}

export interface FetchAnswer {
  readonly status: number;
  /** Names in lower case; values of one name are joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 1 MB of it, as UTF-8. */
  readonly body: string;
  /** Whether the body was longer. */
  readonly cut: boolean;
  readonly duration_ms: number;
}

export abstract class Probes {
  /** GET without following redirects; 2xx and 3xx are healthy. */
  abstract http(url: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult>;
  abstract tcp(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult>;
  /**
   * Any request, without following redirects; every status is an answer.
   * @throws DeployError `service_unreachable` when none comes within the time, `invalid_field` for what no request can hold
   */
  abstract fetch(url: string, request: FetchRequest, signal: AbortSignal): Promise<FetchAnswer>;
}
