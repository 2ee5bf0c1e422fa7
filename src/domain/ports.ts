/**
 * What FlukeDeploy needs of the world outside. Each port is a noun; the adapters under `src/adapters` implement them.
 * Ports are abstract classes, so that the class itself is the injection token.
 */
import type { AppConfig, DeploySpec, PortMapping, Resources, VolumeMount } from './app-spec.js';
import type { Actor, Decision, DeploymentIdentity, DeploymentState, Fact } from './deployment.js';
import type { FlukeDeployEventType, LogDraft, LogLevel, LogRow } from './log-entry.js';
import type { DeploymentStatus, Phase } from './phases.js';

// ---------------------------------------------------------------------------------------------- the truth

/** A deployment with its order and the folded state; `config` is set once it has started. */
export interface DeploymentRecord {
  readonly id: string;
  readonly state: DeploymentState;
  readonly spec: DeploySpec;
  readonly config?: AppConfig;
  /** Epoch of the last claim. */
  readonly fence: number;
  readonly created_at: string;
}

/** Everything but what the store numbers itself: release and the default version. */
export interface DeploymentOrder {
  readonly identity: Omit<DeploymentIdentity, 'release' | 'version'> & { readonly version?: string };
  readonly spec: DeploySpec;
  readonly idempotency?: { readonly key: string; readonly fingerprint: string };
  /** File of the uploaded archive; the store keeps its bytes until the deployment has ended. */
  readonly archive_path?: string;
}

export interface Acceptance {
  readonly record: DeploymentRecord;
  /** The Idempotency-Key was known: nothing was made. */
  readonly replayed: boolean;
}

export interface DeploymentFilter {
  readonly app_name?: string;
  /** App names or patterns with `*` that the reader is limited to. */
  readonly apps?: readonly string[];
  readonly environment?: string;
  readonly statuses?: readonly DeploymentStatus[];
}

export interface DeploymentStats {
  readonly total: number;
  readonly by_status: Readonly<Record<DeploymentStatus, number>>;
  readonly entries: number;
  readonly average_duration_ms?: number;
}

/** A phase that this process may work on, until the lease runs out. */
export interface Claim {
  readonly record: DeploymentRecord;
  readonly config: AppConfig;
  readonly phase: Phase;
  readonly attempt: number;
  readonly fence: number;
}

export type ClaimHealth = 'held' | 'cancelled' | 'lost';

/** A phase that should be worked on now or after `delay_ms`, and that nobody holds. */
export interface DuePhase {
  readonly deployment_id: string;
  readonly phase: Phase;
  readonly attempt: number;
  readonly delay_ms: number;
  /** For how long it has been due. */
  readonly overdue_ms: number;
}

export abstract class DeploymentStore {
  /**
   * Stores the order and its first fact in one transaction.
   * @throws DeployError `idempotency_key_reused`, `deployment_in_progress` (on_conflict reject)
   */
  abstract accept(order: DeploymentOrder): Promise<Acceptance>;
  abstract find(id: string): Promise<DeploymentRecord | undefined>;
  /** Newest first. */
  abstract list(
    filter: DeploymentFilter,
    page: { limit: number; offset: number },
  ): Promise<{ records: DeploymentRecord[]; total: number }>;
  /** Place in the app's line: 0 = it runs (or has ended), 1 = next. */
  abstract position(record: DeploymentRecord): Promise<{ position: number; behind?: string }>;
  abstract stats(): Promise<DeploymentStats>;
  abstract appExists(appName: string): Promise<boolean>;

  /** The archive uploaded for this deployment. */
  abstract readArchive(deploymentId: string): AsyncIterable<Uint8Array>;
  /** Deletes entries and idempotency keys that have outlived their time. */
  abstract prune(): Promise<void>;
}

/** Who works on what: the turn of each app, the lease of each phase. Only the database's clock counts. */
export abstract class PhaseClaims {
  /** Older deployments that must make way for a waiting one with `on_conflict: supersede`, and have not been told yet. */
  abstract superseded(): Promise<{ id: string; superseded_by: string }[]>;
  /** Starts the oldest waiting deployment of every app (or of this one) that has none running; answers what has become due. */
  abstract startWaiting(app?: { app_name: string; environment: string }): Promise<DuePhase[]>;
  /** Takes the phase if it is due and nobody holds it: the fence rises, the lease begins. `undefined`: nothing to do here. */
  abstract claim(deploymentId: string, phase: Phase): Promise<Claim | undefined>;
  /** Prolongs the lease. */
  abstract heartbeat(claim: Claim): Promise<ClaimHealth>;
  /** What the reconciler must look at: due phases whose lease is free. */
  abstract due(limit: number): Promise<DuePhase[]>;
  /** Ends deployments whose deadline passed long ago without a living worker. */
  abstract expire(graceMs: number): Promise<string[]>;
}

export interface Append {
  readonly deployment_id: string;
  /** Epoch of the worker that writes; facts made by the API carry none. */
  readonly fence?: number;
  readonly items: readonly AppendItem[];
  /** Gives the claim back in the same transaction. */
  readonly release?: boolean;
}
export type AppendItem = { readonly draft: LogDraft } | { readonly fact: Fact; readonly stack?: string | undefined };

export interface Appended {
  readonly rows: readonly LogRow[];
  readonly state: DeploymentState;
  readonly decision: Decision;
}

export interface LogFilter {
  readonly app_name?: string;
  /** App names or patterns with `*` that the reader is limited to. */
  readonly apps?: readonly string[];
  readonly deployment_id?: string;
  /** This level and above. */
  readonly level?: LogLevel;
  readonly event_type?: FlukeDeployEventType;
  readonly phase?: Phase;
}

export interface LogPage {
  readonly rows: readonly LogRow[];
  /** Where the next page begins: after the last row that was looked at. */
  readonly next_cursor: string;
  /** Entries after the cursor that are no longer kept. */
  readonly gap?: { readonly from: string; readonly to: string };
}

export abstract class LogStore {
  /**
   * Numbers and stores the items in one transaction, folds facts into the deployment, and adds what follows from them.
   * `undefined`: the fence is old, a newer worker holds the phase, and nothing was written.
   */
  abstract append(append: Append): Promise<Appended | undefined>;
  /** Rows after the cursor in stream order. */
  abstract read(after: string, filter: LogFilter, limit: number): Promise<LogPage>;
  /** Rows in stream order, `since` an ISO time. `total` is counted up to the limit of the table. */
  abstract query(
    filter: LogFilter & { since?: string },
    page: { limit: number; offset: number; cursor?: string },
  ): Promise<LogPage & { total: number; total_capped: boolean }>;
  /** The cursor before the oldest kept entry, and after the newest. */
  abstract bounds(): Promise<{ beginning: string; head: string }>;
}

/** Encryption at rest. `context` (app, environment, key) is bound to the text: it opens under the same context only. */
export abstract class Secrets {
  abstract seal(text: string, context: string): string;
  /** @throws Error when the text was sealed under another key or context */
  abstract open(sealed: string, context: string): string;
  /** Keyed hash, for comparing without keeping. */
  abstract fingerprint(text: string): string;
}

export interface Principal {
  readonly actor: Actor;
  readonly scopes: readonly string[];
  /** App names or patterns with `*`; absent = all. */
  readonly apps?: readonly string[];
}

export interface TokenRecord {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly apps?: readonly string[];
  readonly agent?: string;
  readonly created_at: string;
  readonly expires_at?: string;
  readonly last_used_at?: string;
  readonly revoked_at?: string;
}

export interface AuditRecord {
  readonly at: string;
  readonly actor: Actor;
  readonly action: string;
  readonly target: string;
  readonly outcome: string;
}

/** Who changed what, when, and with which outcome. */
export abstract class AuditTrail {
  abstract audit(record: AuditRecord): Promise<void>;
}

/** Credentials, all of them as hashes. */
export abstract class CredentialStore extends AuditTrail {
  abstract adminPasswordHash(): Promise<string | undefined>;
  /** Keeps the first one that was set when `replace` is false; answers the one kept. */
  abstract setAdminPasswordHash(hash: string, replace: boolean): Promise<string>;
  abstract addToken(token: TokenRecord, hash: string): Promise<void>;
  abstract listTokens(): Promise<TokenRecord[]>;
  abstract revokeToken(id: string): Promise<boolean>;
  /** The live token of this hash; notes the use. */
  abstract findToken(hash: string): Promise<TokenRecord | undefined>;
  abstract addSession(hash: string, expiresAt: string): Promise<void>;
  abstract sessionAlive(hash: string): Promise<boolean>;
  abstract endSessions(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------- the alarm clock

/** Wakes a worker for a phase. Losing what is in it costs time, never a deployment. */
export abstract class PhaseQueue {
  abstract add(due: Omit<DuePhase, 'overdue_ms'>): Promise<void>;
}

/** Short messages between processes: "there is something new, look". None is needed for correctness. */
export abstract class Wakeups {
  abstract publish(topic: WakeupTopic, message: string): Promise<void>;
  /** Answers the function that ends the subscription. */
  abstract subscribe(topic: WakeupTopic, listener: (message: string) => void): () => void;
}
export type WakeupTopic = 'log' | 'cancel';

// ---------------------------------------------------------------------------------------------- sources and images

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

// ---------------------------------------------------------------------------------------------- the cluster

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
   * Creates the service or updates it to exactly this, compare-and-set on Swarm's version index; no change when it already is this deployment's.
   * @throws DeployError `name_taken`, `newer_deployment_live`, `service_changed`, `docker_unavailable`
   */
  abstract apply(
    desired: DesiredService,
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
