/** The ports around what agents may do: approvals by people, orders per hour, and the freeze. */
import type { Actor } from './facts.js';
import type { Action, Freeze } from './policy.js';

/** What the acceptance of an order has to settle with whoever gives it, in the same transaction. */
export interface Permit {
  /** A session has none, also where an agent uses it. */
  readonly token_id?: string;
  /** Then it is refused while agents are frozen. */
  readonly is_agent: boolean;
  readonly deploys_per_hour?: number;
  /** Is used up by the order. */
  readonly approval_id?: string;
}

export const APPROVAL_STATUSES = ['pending', 'approved', 'rejected', 'used', 'expired'] as const;
export type ApprovalStatus = (typeof APPROVAL_STATUSES)[number];

/** What a person is asked to approve: this action of this token, by the hash of the exact order. */
export interface ApprovalRequest {
  readonly token_id: string;
  readonly actor: Actor;
  readonly action: Action;
  readonly plan_hash: string;
  /** The order in words, without secrets. */
  readonly summary: string;
}

export interface Approval extends ApprovalRequest {
  readonly id: string;
  readonly status: ApprovalStatus;
  readonly asked_at: string;
  readonly expires_at: string;
  readonly decided_at?: string;
  readonly decided_by?: Actor;
  readonly reason?: string;
  readonly used_at?: string;
}

export interface ApprovalFilter {
  readonly status?: ApprovalStatus;
  readonly token_id?: string;
  /** App names or patterns with `*` that the reader is limited to. */
  readonly apps?: readonly string[];
}

export type Verdict = 'approved' | 'rejected';

/** What policy has to remember. Only the database's clock counts. */
export abstract class PolicyStore {
  /** Seconds until the token may give another order; 0 = now. */
  abstract waitSeconds(tokenId: string, deploysPerHour: number): Promise<number>;
  /**
   * The one that stands for this order (pending, approved or rejected), or a new one.
   * @throws DeployError `too_many_requests` when too many of the token wait for people
   */
  abstract ask(request: ApprovalRequest): Promise<Approval>;
  abstract find(id: string): Promise<Approval | undefined>;
  /** Newest first. */
  abstract list(filter: ApprovalFilter): Promise<Approval[]>;
  /** @throws DeployError `approval_not_found`, `approval_decided`, `approval_expired` */
  abstract decide(id: string, verdict: Verdict, by: Actor, reason: string | undefined): Promise<Approval>;
  /** Once. @throws DeployError `approval_used`, `approval_expired`, `approval_rejected`, `approval_required` */
  abstract use(id: string): Promise<void>;
}

export interface AgentToken {
  readonly id: string;
  readonly name: string;
  readonly expires_at?: string;
  readonly last_used_at?: string;
}

export interface AgentRecord {
  readonly agent: string;
  /** Those that still work. */
  readonly tokens: readonly AgentToken[];
  readonly last_used_at?: string;
  /** That it asked for within the last 24 hours. */
  readonly deployments_24h: number;
}

export abstract class AgentStore {
  /** By name. */
  abstract list(): Promise<AgentRecord[]>;
  abstract frozen(): Promise<Freeze | undefined>;
  /** From its return on no order of an agent is accepted. A second freeze keeps the first. */
  abstract freeze(freeze: Freeze): Promise<Freeze>;
  /** Ids of the deployments that agents have asked for and that have not ended. */
  abstract unfinished(): Promise<string[]>;
  /** False when nothing was frozen. */
  abstract unfreeze(): Promise<boolean>;
}
