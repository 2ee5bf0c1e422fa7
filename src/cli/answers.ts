/** What the server answers, as far as the command line reads it. */
import type { AuditEntry } from '../domain/audit-chain.js';
import type { DeployPlan, Issue } from '../domain/deploy-plan.js';
import type { FieldError, Failure } from '../domain/errors.js';
import type { DeploymentKind } from '../domain/facts.js';
import type { UnifiedLogEntry } from '../domain/log-entry.js';
import type { DeploymentStatus, Phase, PhaseStatus } from '../domain/phases.js';
import type { Plugin } from '../domain/plugin.js';

export interface PhaseAnswer {
  readonly status: PhaseStatus;
  /** ISO 8601 UTC, as all times. */
  readonly started_at?: string;
  readonly duration_ms?: number;
  /** Why the phase was skipped. */
  readonly reason?: string;
}

export interface DeploymentAnswer {
  readonly deployment_id: string;
  readonly kind?: DeploymentKind;
  readonly status: DeploymentStatus;
  readonly app_name: string;
  readonly environment: string;
  readonly version: string;
  readonly release: number;
  readonly source: string;
  /** Deployments of the app that come first; 0 = it runs or has ended. */
  readonly position: number;
  /** The deployment it waits for. */
  readonly behind?: string;
  readonly phases: Readonly<Record<Phase, PhaseAnswer>>;
  readonly image?: string;
  readonly rollout?: { readonly step: number; readonly of: number; readonly paused?: { readonly reason: string } };
  readonly actor: string;
  readonly rolled_back_by?: string;
  readonly cancel_reason?: string;
  readonly requested_at: string;
  readonly duration_ms?: number;
  readonly failed_phase?: Phase;
  readonly error?: Failure;
}

/** Entries of one deployment, grouped by phase; `flukedeploy_metadata.sequence` gives their order. */
export interface EntriesAnswer {
  readonly status: DeploymentStatus;
  readonly phases: Readonly<Record<string, readonly UnifiedLogEntry[]>>;
  readonly next_cursor: string;
  readonly has_more: boolean;
}

/** Entries of all deployments, oldest first. */
export interface LogsAnswer {
  readonly entries: readonly UnifiedLogEntry[];
  readonly next_cursor: string;
}

/** Entries of the audit trail, oldest first. */
export interface AuditAnswer {
  readonly entries: readonly AuditEntry[];
  readonly next_cursor: string;
}

export interface HistoryAnswer {
  readonly deployments: readonly DeploymentAnswer[];
  readonly total: number;
}

export interface AppAnswer {
  readonly app_name: string;
  readonly environment: string;
  readonly live?: { readonly release: number; readonly version: string };
  readonly config?: { readonly replicas: number };
  readonly hosts: readonly string[];
}

export interface AppsAnswer {
  readonly apps: readonly AppAnswer[];
}

export interface ReleaseAnswer {
  readonly release: number;
  readonly live: boolean;
  readonly version: string;
  readonly source: string;
  readonly actor: string;
  readonly created_at: string;
  readonly deployment_id: string;
}

export interface ReleasesAnswer {
  readonly releases: readonly ReleaseAnswer[];
  readonly total: number;
}

export interface PluginAnswer extends Pick<Plugin, 'name' | 'version' | 'origin' | 'about' | 'hooks'> {
  /** `always` and `by_level` (the validation level) are built in; `server` = its configuration switches it on for every app. */
  readonly enabled: 'always' | 'by_level' | 'on_request' | 'server';
}

export interface PluginsAnswer {
  readonly plugins: readonly PluginAnswer[];
}

export interface TokenAnswer {
  readonly id: string;
  readonly token: string;
  readonly expires_at?: string;
}

export interface FreezeAnswer {
  readonly at: string;
  readonly by: { readonly name: string };
  readonly reason: string;
}

export interface FlukeBaseAnswer {
  readonly enabled: boolean;
  readonly url: string;
  readonly waiting: number;
  readonly lag_seconds: number;
  readonly dead: number;
  readonly breaker: string;
  readonly paused?: string;
  readonly last_error?: string;
}

export interface FlukeBaseCheckAnswer {
  readonly works: boolean;
  readonly findings: readonly { readonly ok: boolean; readonly message: string }[];
}

export interface DeadLetterAnswer {
  readonly id: string;
  readonly deployment_id: string;
  readonly kind: 'log' | 'deployment' | 'task';
  readonly first_sequence: number;
  readonly last_sequence: number;
  readonly error: string;
  readonly died_at: string;
}

export interface DeadLettersAnswer {
  readonly dead_letters: readonly DeadLetterAnswer[];
}

export interface BackfilledAnswer {
  readonly deployments: number;
  readonly queued: number;
  readonly next_cursor?: string;
}

export interface AgentsAnswer {
  readonly agents: readonly {
    readonly agent: string;
    readonly tokens: readonly { readonly id: string }[];
    readonly last_used_at?: string;
    readonly deployments_24h: number;
    readonly frozen: boolean;
  }[];
  readonly frozen?: FreezeAnswer;
}

export interface FrozenAnswer {
  readonly frozen: FreezeAnswer;
  readonly cancelled: readonly string[];
}

export interface ApprovalAnswer {
  readonly approval_id: string;
  readonly status: string;
  readonly kind: string;
  readonly app_name: string;
  readonly environment: string;
  readonly summary: string;
  readonly actor: string;
  readonly agent?: string;
  readonly expires_at: string;
}

export interface ApprovalsAnswer {
  readonly approvals: readonly ApprovalAnswer[];
}

/** What would become of a deployment. */
export interface ValidationAnswer extends Partial<Omit<DeployPlan, 'plan'>> {
  readonly valid: boolean;
  readonly issues: readonly Issue[];
  readonly plan: DeployPlan['plan'];
  readonly plan_hash?: string;
  readonly requires_approval?: true;
}

/** A refusal as RFC 9457 has it. */
export interface Problem {
  readonly status: number;
  readonly code?: string;
  readonly title: string;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly hint?: string;
  /** The rule of the token's policy that refused. */
  readonly rule?: string;
  readonly approval_id?: string;
}
