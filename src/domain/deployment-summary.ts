/** A deployment as FlukeBase is told of it. Pure. */
import type { DeploymentKind, DeploymentState, PhaseState } from './facts.js';
import type { Failure } from './errors.js';
import { isFinal, PHASES, type DeploymentStatus, type Phase, type PhaseStatus } from './phases.js';

/** Where it is found at this server. */
export interface DeploymentLinks {
  readonly self: string;
  readonly logs: string;
}

interface PhaseSummary {
  readonly status: PhaseStatus;
  readonly attempt: number;
  readonly started_at?: string;
  readonly duration_ms?: number;
  readonly error?: Pick<Failure, 'code' | 'message'>;
}

export interface DeploymentSummary {
  readonly deployment_id: string;
  readonly kind: DeploymentKind;
  readonly app_name: string;
  readonly environment: string;
  readonly project: string;
  readonly version: string;
  readonly release: number;
  readonly source: string;
  readonly status: DeploymentStatus;
  readonly phases: Readonly<Record<Phase, PhaseSummary>>;
  readonly actor: string;
  readonly agent?: string;
  readonly on_behalf_of?: string;
  readonly reason?: string;
  readonly cancel_reason?: string;
  readonly wedo_task_id: string;
  readonly image?: string;
  readonly image_digest?: string;
  readonly commit?: string;
  readonly replicas?: number;
  readonly rollback_of?: string;
  readonly rollback_to?: number;
  readonly rollback?: {
    readonly by: string;
    readonly release: number;
    readonly error?: Pick<Failure, 'code' | 'message'>;
  };
  readonly rolled_back_by?: string;
  readonly failed_phase?: Phase;
  readonly error?: Pick<Failure, 'code' | 'message' | 'hint'>;
  readonly has_served?: boolean;
  readonly requested_at: string;
  readonly started_at?: string;
  readonly finished_at?: string;
  readonly duration_ms?: number;
  readonly links: DeploymentLinks;
}

/** @param origin of this server, as people reach it; empty where nobody has said */
export function deploymentLinks(id: string, origin: string): DeploymentLinks {
  const self = `${origin}/api/v1/deployments/${id}`;
  return { self, logs: `${self}/logs` };
}

export function deploymentSummary(state: DeploymentState, taskId: string, links: DeploymentLinks): DeploymentSummary {
  const { identity, outputs, error, rollback } = state;
  const { actor, kind = 'deploy' } = identity;
  const summary = {
    deployment_id: identity.id,
    kind,
    app_name: identity.app_name,
    environment: identity.environment,
    project: identity.project,
    version: identity.version,
    release: identity.release,
    source: identity.source,
    status: state.status,
    phases: Object.fromEntries(PHASES.map((phase) => [phase, phaseSummary(state.phases[phase])])) as Record<
      Phase,
      PhaseSummary
    >,
    actor: actor.name,
    agent: actor.agent,
    on_behalf_of: actor.on_behalf_of,
    reason: identity.reason,
    cancel_reason: state.cancel?.reason,
    wedo_task_id: taskId,
    image: outputs.image,
    image_digest: outputs.image_digest,
    commit: outputs.commit,
    replicas: state.replicas,
    rollback_of: identity.rollback_of,
    rollback_to: identity.rollback_to,
    rollback: rollback && { ...rollback, error: rollback.error && pick(rollback.error) },
    rolled_back_by: state.rolled_back_by,
    failed_phase: state.failed_phase,
    error: error && { ...pick(error), hint: error.hint },
    has_served: state.has_served,
    requested_at: state.requested_at,
    started_at: state.started_at,
    finished_at: state.finished_at,
    duration_ms: durationMs(state),
    links,
  };
  return withoutNothing(summary) as DeploymentSummary;
}

/** From the request to the end. */
export function durationMs({ requested_at, finished_at }: DeploymentState): number | undefined {
  return finished_at === undefined ? undefined : Date.parse(finished_at) - Date.parse(requested_at);
}

/** The team is told at once of every end, and of what becomes of a rollback. */
export function isNews({ status }: Pick<DeploymentSummary, 'status'>): boolean {
  return isFinal(status);
}

function phaseSummary({ status, attempt, started_at, finished_at, error }: PhaseState): PhaseSummary {
  return {
    status,
    attempt,
    ...(started_at !== undefined && { started_at }),
    ...(started_at !== undefined &&
      finished_at !== undefined && { duration_ms: Date.parse(finished_at) - Date.parse(started_at) }),
    ...(error && { error: pick(error) }),
  };
}

function pick({ code, message }: Failure): Pick<Failure, 'code' | 'message'> {
  return { code, message };
}

/** Nulls are omitted on the wire, empty texts too. */
function withoutNothing(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([name, value]: [string, unknown]) => [
        name,
        typeof value === 'object' && value !== null && !Array.isArray(value) ? withoutNothing(value) : value,
      ]),
  );
}
