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
  /** Removes the tag of a failed deployment; no error when it is gone already. */
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

/** Everything a service shall be. */
export interface DesiredService {
  readonly name: string;
  readonly app_name: string;
  readonly environment: string;
  readonly project: string;
  readonly deployment_id: string;
  /** Counts the app's deployments: an older one never replaces a newer one. */
  readonly release: number;
  readonly image: string;
  readonly replicas: number;
  /** Clear values. */
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly ports: readonly PortMapping[];
  readonly volumes: readonly VolumeMount[];
  readonly resources: Resources;
}

export interface ServiceView {
  readonly id: string;
  readonly name: string;
  /** Whether it carries our label. */
  readonly managed: boolean;
  readonly app_name?: string;
  readonly deployment_id?: string;
  readonly release?: number;
  readonly image: string;
  readonly replicas: number;
  readonly update?: { readonly state: string; readonly message: string };
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
}

/** What is known of a container that ended or is not well. Empty where it ran on a node out of reach. */
export interface ContainerEvidence {
  readonly out_of_memory: boolean;
  readonly exit_code?: number;
  /** Output of the last failing HEALTHCHECK. */
  readonly health_output?: string;
  readonly last_lines: readonly string[];
}

export abstract class Cluster {
  abstract view(): Promise<ClusterView>;
  abstract findService(name: string): Promise<ServiceView | undefined>;
  /**
   * Creates the service or updates it to exactly this, compare-and-set on Swarm's version index; no change when it already is this deployment's,
   * and none once the signal has aborted.
   * @throws DeployError `name_taken`, `newer_deployment_live`, `service_changed`, `docker_unavailable`
   */
  abstract apply(
    desired: DesiredService,
    signal?: AbortSignal,
  ): Promise<{ readonly service: ServiceView; readonly change: 'created' | 'updated' | 'unchanged' }>;
  /** Tasks of this deployment only. */
  abstract tasks(serviceName: string, deploymentId: string): Promise<TaskView[]>;
  abstract evidence(task: TaskView): Promise<ContainerEvidence>;
  /** Address at which this process reaches the task; `undefined` where it cannot. */
  abstract address(task: TaskView): Promise<string | undefined>;
  /**
   * Takes this deployment's change of the service back: to the spec before, or away when there was none.
   * Does nothing when another deployment owns the service by now.
   */
  abstract restore(serviceName: string, deploymentId: string): Promise<'restored' | 'removed' | 'untouched'>;
}

export interface ProbeResult {
  readonly healthy: boolean;
  readonly http_status?: number;
  readonly duration_ms: number;
  /** Why it is not healthy, with the beginning of the body. */
  readonly reason?: string;
}

export abstract class Probes {
  /** GET without following redirects; 2xx and 3xx are healthy. */
  abstract http(url: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult>;
  abstract tcp(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult>;
}
