/** FlukeBase: what it is told, how it answers, and the ports that tell it and that know how far that is. */
import type { BreakerState } from './flukebase-upstream.js';
import type { LaneChannel, LaneState } from './flukebase-lane.js';
import type { DeploymentSummary } from './deployment-summary.js';
import type { DeploymentState } from './facts.js';
import type { LogRow, UnifiedLogEntry } from './log-entry.js';
import type { NewWedoTask, WedoTaskChange } from './wedo-task.js';

export type FlukeBaseReply =
  /** `refused` names the entries of a batch that it did not take, by their id. */
  | { readonly kind: 'accepted'; readonly status: number; readonly refused?: readonly RefusedEntry[] }
  | {
      readonly kind: 'refused';
      readonly status: number;
      /** In its own words, bounded and printable. */
      readonly reason?: string;
      readonly retry_after_ms?: number;
    }
  /** Nothing that can be believed was answered, in words that tell no address and no token. */
  | { readonly kind: 'unanswered'; readonly reason: string };

export interface RefusedEntry {
  readonly id: string;
  readonly status: number;
  readonly reason?: string;
}

export interface FlukeBaseCall {
  /** The same at every attempt to send the same thing. */
  readonly idempotency_key: string;
  readonly signal: AbortSignal;
}

/** One thing that was looked at, and how it is, in plain words. */
export interface FlukeBaseFinding {
  readonly about: 'address' | 'certificate' | 'token' | 'delivery';
  readonly ok: boolean;
  readonly message: string;
}

/** Tells FlukeBase. What goes wrong is a reply; only being stopped is an error. */
export abstract class FlukeBase {
  /** @throws the signal's reason, as all of these */
  abstract syncDeploymentLog(entry: UnifiedLogEntry, call: FlukeBaseCall): Promise<FlukeBaseReply>;
  abstract syncDeploymentLogsBatch(entries: readonly UnifiedLogEntry[], call: FlukeBaseCall): Promise<FlukeBaseReply>;
  abstract createDeploymentTask(task: NewWedoTask, call: FlukeBaseCall): Promise<FlukeBaseReply>;
  abstract updateWedoTask(id: string, change: WedoTaskChange, call: FlukeBaseCall): Promise<FlukeBaseReply>;
  abstract syncDeploymentSummary(summary: DeploymentSummary, call: FlukeBaseCall): Promise<FlukeBaseReply>;
  /** Whether it can be reached, and its certificate trusted; `withToken`: whether it takes the token as well. Nothing is changed. */
  abstract check(withToken: boolean, signal: AbortSignal): Promise<FlukeBaseFinding[]>;
}

/** A lane that this process alone may send, until the lease runs out. */
export interface LaneClaim {
  readonly id: string;
  readonly deployment_id: string;
  readonly channel: LaneChannel;
  readonly fence: number;
  /** Sequence up to which there is something to tell. */
  readonly head: number;
  readonly state: LaneState;
}

/** A deployment at one moment: its state follows from the entries up to this sequence. */
export interface DeploymentNow {
  readonly state: DeploymentState;
  readonly sequence: number;
}

export const LETTER_KINDS = ['log', 'deployment', 'task'] as const;
export type LetterKind = (typeof LETTER_KINDS)[number];

/** What FlukeBase would not take. It is kept as a place in the log, and never as a copy. */
export interface DeadLetter {
  readonly kind: LetterKind;
  readonly first_sequence: number;
  readonly last_sequence: number;
  readonly error: string;
}

export interface DeadLetterRecord extends DeadLetter {
  readonly id: string;
  readonly deployment_id: string;
  /** ISO 8601 UTC. */
  readonly died_at: string;
}

/** What becomes of a claim: kept with a new lease, given back for so long, or at rest until there is more. */
export type LaneNext =
  | { readonly kind: 'keep'; readonly lease_ms: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'rest' };

/** What the process that sent last knew of FlukeBase. */
export interface UpstreamReport {
  readonly breaker: BreakerState;
  /** Why nothing is sent for now. */
  readonly paused?: string;
}

export interface FlukeBaseStanding {
  /** Entries that FlukeBase has not been told. */
  readonly waiting: number;
  /** Age of the oldest of them; 0 where there is none. */
  readonly lag_seconds: number;
  readonly dead: number;
  readonly upstream: UpstreamReport;
  /** Of the lane that fails. */
  readonly last_error?: string;
}

export interface Backfilled {
  readonly deployments: number;
  /** Of them, those that had not been queued or sent before. */
  readonly queued: number;
  /** Goes on behind it; absent at the end. */
  readonly next_cursor?: string;
}

/** How far FlukeBase has been told. The log is the queue: here are only places in it. Only the database's clock counts for leases. */
export abstract class FlukeBaseStore {
  /** Marks the end of the log as the place to begin at, unless there is one from before. */
  abstract begin(): Promise<void>;
  /** Looks on in the log, in one process at a time: each deployment with something new has its lanes due. True: there is more. */
  abstract discover(limit: number): Promise<boolean>;
  /** The lane that has been due for the longest, the present before what is backfilled. */
  abstract claim(leaseMs: number, withBackfill: boolean): Promise<LaneClaim | undefined>;
  /** Everything at once; false when another process has taken the lane over, and nothing is kept. */
  abstract save(claim: LaneClaim, state: LaneState, next: LaneNext, letters?: readonly DeadLetter[]): Promise<boolean>;
  /** Gives it back as it is kept, for whoever is next. */
  abstract release(claim: LaneClaim): Promise<boolean>;
  /** Entries of the deployment behind `after`, up to and with `until`. */
  abstract entries(deploymentId: string, after: number, until: number, limit: number): Promise<LogRow[]>;
  abstract deployment(id: string): Promise<DeploymentNow | undefined>;
  /** What failed is tried now: FlukeBase is back. */
  abstract hurry(): Promise<void>;
  abstract tell(report: UpstreamReport): Promise<void>;
  /** What a process has told last; `undefined` where nothing was ever sent. */
  abstract upstream(): Promise<UpstreamReport | undefined>;
  abstract standing(): Promise<FlukeBaseStanding>;
  /** Newest first, behind `before`. */
  abstract deadLetters(limit: number, before?: string): Promise<DeadLetterRecord[]>;
  abstract replay(letterId: string): Promise<boolean>;
  abstract discard(letterId: string): Promise<boolean>;
  /** Queues the deployments that were asked for in this time, a page at a time. */
  abstract backfill(window: { since: string; until: string }, limit: number, cursor?: string): Promise<Backfilled>;
  /** Forgets what has outlived its time. */
  abstract prune(): Promise<void>;
}
