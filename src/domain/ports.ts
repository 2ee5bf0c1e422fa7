/**
 * What FlukeDeploy needs of the world outside. Each port is a noun; the adapters under `src/adapters` implement them.
 * Ports are abstract classes, so that the class itself is the injection token.
 */
import type { AppConfig, DeploySpec } from './app-spec.js';
export * from './audit-ports.js';
export * from './delivery-ports.js';
export * from './edge-ports.js';
export * from './app-ports.js';
export * from './job-ports.js';
export * from './scan-ports.js';
export * from './notification-ports.js';
export * from './flukebase-ports.js';
export * from './policy-ports.js';
export type { Principal } from './policy.js';
import type { AppPlace } from './app-ports.js';
import type { Decision, DeploymentIdentity, DeploymentState, Fact } from './deployment.js';
import type { FlukeDeployEventType, LogDraft, LogLevel, LogRow } from './log-entry.js';
import type { DeploymentStatus, Phase } from './phases.js';
import type { Freeze, TokenLimits } from './policy.js';
import type { Permit } from './policy-ports.js';
import type { Strategy } from './strategy.js';

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
  readonly idempotency?: Idempotency;
  /** Host names that the app claims for itself, beside those of its whole configuration. */
  readonly hosts?: readonly string[];
  /** File of the uploaded archive; the store keeps its bytes until the deployment has ended. */
  readonly archive_path?: string;
  /** Where a token gives the order. */
  readonly permit?: Permit;
}

/** The same key is the same order; the fingerprint tells whether it really is. */
export interface Idempotency {
  readonly key: string;
  readonly fingerprint: string;
}

export interface Acceptance {
  readonly record: DeploymentRecord;
  /** The Idempotency-Key was known: nothing was made. */
  readonly replayed: boolean;
}

export interface OrderOutlook {
  /** The number that the next order gets, where no other one comes first. */
  readonly next_release: number;
  /** Those of the host names that belong to other apps. */
  readonly foreign_hosts: readonly string[];
  /** A deployment of the app that runs or waits. */
  readonly in_progress?: string;
}

export interface DeploymentFilter {
  readonly app_name?: string;
  /** App names or patterns with `*` that the reader is limited to. */
  readonly apps?: readonly string[];
  readonly environment?: string;
  readonly statuses?: readonly DeploymentStatus[];
}

/** Place in the app's line: 0 = it runs (or has ended), 1 = next. */
export interface QueuePlace {
  readonly position: number;
  /** The deployment right before it. */
  readonly behind?: string;
}

/** A deployment as lists show it. */
export interface PlacedDeployment {
  readonly state: DeploymentState;
  readonly place: QueuePlace;
  /** Once it has started. */
  readonly strategy?: Strategy;
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
  /** Milliseconds until the deployment's deadline, by the clock that all processes share; in a pause, those left when it ends. */
  readonly left_ms: number;
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
   * @throws DeployError `idempotency_key_reused`, `deployment_in_progress` (on_conflict reject), `domain_taken`,
   * `strategy_unsupported`, and what speaks against its permit: `agents_frozen`, `rate_limited_by_policy`, `approval_used`, …
   */
  abstract accept(order: DeploymentOrder): Promise<Acceptance>;
  /** What was accepted under this key. @throws DeployError `idempotency_key_reused` */
  abstract known(idempotency: Idempotency): Promise<DeploymentRecord | undefined>;
  abstract find(id: string): Promise<DeploymentRecord | undefined>;
  /** Newest first. */
  abstract list(
    filter: DeploymentFilter,
    page: { limit: number; offset: number },
  ): Promise<{ deployments: PlacedDeployment[]; total: number }>;
  abstract place(record: DeploymentRecord): Promise<QueuePlace>;
  /** Of all apps, or of those whose names or patterns are given. */
  abstract stats(apps?: readonly string[]): Promise<DeploymentStats>;
  /** Whether it has ever been deployed. */
  abstract appExists(appName: string): Promise<boolean>;
  /** What an order of the app that asks for these host names would meet now. Nothing is claimed or numbered. */
  abstract outlook(place: AppPlace, hosts: readonly string[]): Promise<OrderOutlook>;

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
  /** Counts the appends under this fence: one that comes a second time, because its answer was lost, is not stored again. */
  readonly batch?: number;
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
  /** The newest rows, in stream order; their page goes on with what comes. */
  abstract tail(filter: LogFilter, limit: number): Promise<LogPage>;
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

export interface TokenRecord extends TokenLimits {
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

/** A token that was just used, and whether its agent may act. */
export interface LiveToken {
  readonly token: TokenRecord;
  /** Agents are frozen, and it is one's. */
  readonly frozen?: Freeze;
}

/** Credentials, all of them as hashes. */
export abstract class CredentialStore {
  abstract adminPasswordHash(): Promise<string | undefined>;
  /** Keeps the first one that was set when `replace` is false; answers the one kept. */
  abstract setAdminPasswordHash(hash: string, replace: boolean): Promise<string>;
  abstract addToken(token: TokenRecord, hash: string): Promise<void>;
  abstract listTokens(): Promise<TokenRecord[]>;
  abstract revokeToken(id: string): Promise<boolean>;
  /** The live token of this hash; notes the use. */
  abstract findToken(hash: string): Promise<LiveToken | undefined>;
  /** Whatever has become of it. */
  abstract tokenOf(id: string): Promise<TokenRecord | undefined>;
  abstract addSession(hash: string, expiresAt: string): Promise<void>;
  abstract sessionAlive(hash: string): Promise<boolean>;
  abstract endSessions(): Promise<void>;
}

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
