/** What can happen to a deployment, and the state that follows from it: types only. */
import type { Failure } from './errors.js';
import type { DeploymentStatus, Phase, PhaseStatus } from './phases.js';

/** Who caused something: a person's session, a token (with its agent's name), or FlukeDeploy itself. */
export interface Actor {
  readonly kind: 'admin' | 'token' | 'system';
  readonly name: string;
  readonly agent?: string;
}

/** What is known of a deployment the moment it is asked for, and never changes. */
export interface DeploymentIdentity {
  readonly id: string;
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
  readonly wedo_task_id?: string;
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
    | { readonly type: 'phase_failed'; readonly phase: Phase; readonly attempt: number; readonly error: Failure }
    | {
        readonly type: 'cancel_requested';
        readonly actor: Actor;
        readonly reason: string;
        readonly superseded_by?: string;
      }
    | { readonly type: 'deployment_succeeded' }
    | { readonly type: 'deployment_failed'; readonly error: Failure; readonly phase?: Phase }
    | { readonly type: 'deployment_cancelled'; readonly error: Failure }
    | { readonly type: 'deployment_rolled_back'; readonly by: string }
  );
export type FactType = Fact['type'];

export interface PhaseState {
  readonly status: PhaseStatus;
  readonly attempt: number;
  /** How often a worker died in the current attempt. */
  readonly interruptions: number;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly skipped_because?: string;
  readonly error?: Failure;
}

export interface DeploymentState {
  readonly identity: DeploymentIdentity;
  readonly status: DeploymentStatus;
  readonly phases: Readonly<Record<Phase, PhaseState>>;
  readonly skips: Partial<Record<Phase, string>>;
  readonly outputs: PhaseOutputs;
  readonly replicas?: number;
  readonly requested_at: string;
  readonly started_at?: string;
  readonly deadline_at?: string;
  readonly finished_at?: string;
  readonly cancel?: { readonly actor: Actor; readonly reason: string; readonly superseded_by?: string };
  readonly error?: Failure;
  readonly failed_phase?: Phase;
  readonly rolled_back_by?: string;
}
