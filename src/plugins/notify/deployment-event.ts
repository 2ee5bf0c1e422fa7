/**
 * What is told of a deployment's end: the body of generic webhooks, in the envelope of Standard Webhooks, and what messages to
 * people are written from. The same at every attempt: what the deployment learns after its end is left out.
 */
import type { DeploymentKind, DeploymentState } from '../../domain/deployment.js';
import { outcomeOf, type NotificationEvent, type Outcome } from '../../domain/notification-ports.js';
import type { Phase } from '../../domain/phases.js';

export interface DeploymentEvent {
  readonly type: NotificationEvent;
  /** When it ended, ISO 8601 UTC. */
  readonly timestamp: string;
  /** Fields are named as in the deployment's own view. */
  readonly data: {
    readonly deployment_id: string;
    readonly app_name: string;
    readonly environment: string;
    readonly project: string;
    readonly version: string;
    readonly release: number;
    /** As it ended, also where it has been rolled back since. */
    readonly status: 'success' | 'failed' | 'cancelled';
    readonly kind: DeploymentKind;
    readonly duration_ms: number;
    readonly actor: string;
    readonly agent?: string;
    readonly reason?: string;
    readonly source: string;
    readonly commit?: string;
    readonly image_digest?: string;
    readonly error?: { readonly code: string; readonly message: string; readonly hint?: string };
    readonly failed_phase?: Phase;
    /** The deployment that this one takes back, and the release it goes back to. */
    readonly rollback_of?: string;
    readonly rollback_to?: number;
    /** The deployment that takes this one back, and the release it goes back to. */
    readonly rollback?: { readonly by: string; readonly release: number };
  };
}

const STATUSES = { succeeded: 'success', failed: 'failed', cancelled: 'cancelled' } as const satisfies Record<
  Outcome,
  DeploymentEvent['data']['status']
>;

/** `undefined` while it has not ended. */
export function deploymentEvent(state: DeploymentState): DeploymentEvent | undefined {
  const { identity, outputs, error, failed_phase, rollback, requested_at, finished_at } = state;
  const outcome = outcomeOf(state.status);
  if (outcome === undefined || finished_at === undefined) return undefined;
  const { id, app_name, environment, project, version, release, kind = 'deploy', source, actor } = identity;
  return {
    type: `deployment.${outcome}`,
    timestamp: finished_at,
    data: {
      deployment_id: id,
      app_name,
      environment,
      project,
      version,
      release,
      status: STATUSES[outcome],
      kind,
      duration_ms: Date.parse(finished_at) - Date.parse(requested_at),
      actor: actor.name,
      ...(actor.agent !== undefined && { agent: actor.agent }),
      ...(identity.reason && { reason: identity.reason }),
      source,
      ...(outputs.commit !== undefined && { commit: outputs.commit }),
      ...(outputs.image_digest !== undefined && { image_digest: outputs.image_digest }),
      ...(error && {
        error: { code: error.code, message: error.message, ...(error.hint !== undefined && { hint: error.hint }) },
      }),
      ...(failed_phase && { failed_phase }),
      ...(identity.rollback_of !== undefined && { rollback_of: identity.rollback_of }),
      ...(identity.rollback_to !== undefined && { rollback_to: identity.rollback_to }),
      ...(rollback && { rollback: { by: rollback.by, release: rollback.release } }),
    },
  };
}
