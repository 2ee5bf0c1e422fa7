/** What can happen to a deployment, and the state that follows from it: types only. */
import type { Failure } from './errors.js';
import type { DeploymentStatus, Phase, PhaseStatus } from './phases.js';
import type { HookResult } from './hooks.js';
import type { Retiring, Traffic } from './traffic.js';

/** Who caused something: a person's session, a token (with its agent's name), or FlukeDeploy itself. */
export interface Actor {
  readonly kind: 'admin' | 'token' | 'system';
  readonly name: string;
  readonly agent?: string;
  /** For whom, as the caller's surroundings say: a claim, not a proof. */
  readonly on_behalf_of?: string;
}

/** What a deployment is for. Those of `deploy`, `rollback` and `config` become releases when they succeed. */
export const DEPLOYMENT_KINDS = ['deploy', 'rollback', 'config', 'scale', 'restart'] as const;
export type DeploymentKind = (typeof DEPLOYMENT_KINDS)[number];

/** What is known of a deployment the moment it is asked for, and never changes. */
export interface DeploymentIdentity {
  readonly id: string;
  /** `deploy` where it is left out. */
  readonly kind?: DeploymentKind;
  readonly app_name: string;
  readonly environment: string;
  readonly project: string;
  readonly version: string;
  /** Number of the release this becomes when it succeeds; counts per app and environment. */
  readonly release: number;
  readonly actor: Actor;
  readonly source: string;
  readonly timeout_ms: number;
  readonly reason?: string;
  readonly rollback_of?: string;
  /** The release that a rollback goes back to. */
  readonly rollback_to?: number;
  /** The approval that it has used up. */
  readonly approval_id?: string;
  readonly wedo_task_id?: string;
}

/** What is live when a deployment starts, and what a failure goes back to. */
export interface Base {
  readonly release?: number;
  readonly version?: string;
  readonly image?: string;
  readonly image_digest?: string;
  readonly commit?: string;
  readonly replicas: number;
  readonly traffic?: Traffic;
  readonly retiring: readonly Retiring[];
}

/** What phases leave behind for later phases and for the release. */
export interface PhaseOutputs {
  /** What Swarm runs: an image id or `name@sha256:…`. */
  readonly image?: string;
  readonly image_digest?: string;
  readonly commit?: string;
  readonly service?: string;
}

interface At {
  /** ISO 8601 UTC. */
  readonly at: string;
}

export type Fact = At &
  (
    | { readonly type: 'deployment_requested'; readonly deployment: DeploymentIdentity }
    | {
        readonly type: 'deployment_started';
        readonly deadline_at: string;
        readonly replicas: number;
        readonly skips: Partial<Record<Phase, string>>;
        readonly base?: Base;
        /** Of an image that runs again. */
        readonly outputs?: PhaseOutputs;
      }
    | { readonly type: 'phase_started'; readonly phase: Phase; readonly attempt: number }
    | { readonly type: 'phase_released'; readonly phase: Phase; readonly attempt: number; readonly reason: string }
    | {
        readonly type: 'phase_succeeded';
        readonly phase: Phase;
        readonly attempt: number;
        readonly outputs: PhaseOutputs;
      }
    | { readonly type: 'phase_skipped'; readonly phase: Phase; readonly reason: string }
    /** A plugin's hook has run: before its phase ends, whatever becomes of that. */
    | { readonly type: 'hook_ended'; readonly result: HookResult }
    | { readonly type: 'phase_failed'; readonly phase: Phase; readonly attempt: number; readonly error: Failure }
    | {
        readonly type: 'cancel_requested';
        readonly actor: Actor;
        readonly reason: string;
        readonly superseded_by?: string;
      }
    /** The requests go elsewhere from now on. `serving`: this deployment's version answers some of them. */
    | {
        readonly type: 'traffic_shifted';
        readonly traffic: Traffic;
        readonly retiring: readonly Retiring[];
        readonly serving: boolean;
        readonly summary: string;
        readonly phase: Phase;
        readonly attempt: number;
      }
    /** A step of the strategy begins, counted from 0. */
    | {
        readonly type: 'rollout_step';
        readonly step: number;
        /** The Swarm service that becomes the new version. */
        readonly service: string;
        readonly summary: string;
        readonly phase: Phase;
        readonly attempt: number;
      }
    | { readonly type: 'rollout_paused'; readonly actor: Actor; readonly reason: string }
    | { readonly type: 'rollout_resumed'; readonly actor: Actor }
    /** The current pause is over; `full`: all further steps are left out. */
    | { readonly type: 'rollout_promoted'; readonly actor: Actor; readonly full: boolean }
    /** The version is taken back, whatever it may look like later; `error`: for this failure, and not because somebody said so. */
    | { readonly type: 'rollout_aborted'; readonly actor: Actor; readonly reason: string; readonly error?: Failure }
    | { readonly type: 'deployment_succeeded' }
    | { readonly type: 'deployment_failed'; readonly error: Failure; readonly phase?: Phase }
    | { readonly type: 'deployment_cancelled'; readonly error: Failure }
    /** The way back has been ordered: another deployment. */
    | { readonly type: 'rollback_ordered'; readonly by: string; readonly release: number; readonly version: string }
    | { readonly type: 'deployment_rolled_back'; readonly by: string }
    | { readonly type: 'rollback_failed'; readonly by: string; readonly error: Failure }
  );
export type FactType = Fact['type'];

export interface PhaseState {
  readonly status: PhaseStatus;
  readonly attempt: number;
  /** How often a worker has begun it, in all attempts. */
  readonly begun?: number;
  /** How often a worker died in the current attempt. */
  readonly interruptions: number;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly skipped_because?: string;
  readonly error?: Failure;
}

/** How far the strategy is, and what people said about it. */
export interface RolloutState {
  readonly step: number;
  readonly service?: string;
  readonly step_started_at?: string;
  /** While it is set, nothing moves on and no deadline runs. */
  readonly paused?: { readonly at: string; readonly reason: string; readonly actor: Actor; readonly left_ms?: number };
  /** The step whose pause was ended by hand. */
  readonly promoted_step?: number;
  /** All further steps are left out. */
  readonly promoted_fully?: boolean;
  readonly aborted?: { readonly actor: Actor; readonly reason: string; readonly error?: Failure };
}

export interface DeploymentState {
  readonly identity: DeploymentIdentity;
  readonly status: DeploymentStatus;
  readonly phases: Readonly<Record<Phase, PhaseState>>;
  readonly skips: Partial<Record<Phase, string>>;
  readonly outputs: PhaseOutputs;
  /** The last run of each hook, in order. */
  readonly hooks?: readonly HookResult[];
  readonly replicas?: number;
  readonly requested_at: string;
  readonly started_at?: string;
  readonly deadline_at?: string;
  readonly finished_at?: string;
  readonly cancel?: { readonly actor: Actor; readonly reason: string; readonly superseded_by?: string };
  readonly error?: Failure;
  readonly failed_phase?: Phase;
  readonly base?: Base;
  /** Where this deployment has sent the requests. */
  readonly traffic?: Traffic;
  readonly retiring?: readonly Retiring[];
  /** Whether its version has answered requests: then a failure needs a rollback. */
  readonly has_served?: boolean;
  readonly rollout?: RolloutState;
  readonly rollback?: { readonly by: string; readonly release: number; readonly error?: Failure };
  readonly rolled_back_by?: string;
}
