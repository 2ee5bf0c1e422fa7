/** The WeDo task of a deployment: how it stands on the team's board at each moment. Pure. */
import { evolve } from './deployment.js';
import type { DeploymentState } from './facts.js';
import { durationMs, type DeploymentLinks } from './deployment-summary.js';

export const WEDO_TASK_STATUSES = ['pending', 'in_progress', 'blocked', 'completed', 'failed', 'cancelled'] as const;
export type WedoTaskStatus = (typeof WEDO_TASK_STATUSES)[number];

export interface WedoTaskChange {
  readonly status: WedoTaskStatus;
  /** One sentence for the team. */
  readonly synthesis_note: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface NewWedoTask extends WedoTaskChange {
  readonly task_id: string;
  readonly description: string;
  readonly dependency: 'AGENT_CAPABLE';
  readonly priority: 'normal';
  readonly scope: 'global';
  readonly tags: readonly string[];
}

/** The one that the order names is taken over; otherwise it has one of its own. */
export function taskIdOf({ identity }: DeploymentState): { readonly id: string; readonly is_adopted: boolean } {
  const { wedo_task_id, id } = identity;
  return wedo_task_id === undefined
    ? { id: `DEPLOY-${id}`, is_adopted: false }
    : { id: wedo_task_id, is_adopted: true };
}

/** A rollout that waits for somebody to promote it is blocked: nothing moves on by itself. */
export function taskStatus({ status, started_at, rollout }: DeploymentState): WedoTaskStatus {
  switch (status) {
    case 'pending':
      return started_at === undefined ? 'pending' : 'in_progress';
    case 'building':
    case 'deploying':
      return rollout?.paused === undefined ? 'in_progress' : 'blocked';
    case 'success':
      return 'completed';
    case 'failed':
    case 'rolled_back':
      return 'failed';
    case 'cancelled':
      return 'cancelled';
  }
}

export function wedoTaskChange(state: DeploymentState, links: DeploymentLinks): WedoTaskChange {
  const { identity, outputs, error } = state;
  const { actor } = identity;
  return {
    status: taskStatus(state),
    synthesis_note: noteOf(state),
    metadata: {
      deployment_id: identity.id,
      app_name: identity.app_name,
      environment: identity.environment,
      project: identity.project,
      version: identity.version,
      release: identity.release,
      deployment_status: state.status,
      initiated_by: actor.name,
      ...(actor.agent !== undefined && { agent: actor.agent }),
      ...(actor.on_behalf_of !== undefined && { on_behalf_of: actor.on_behalf_of }),
      ...(outputs.image_digest !== undefined && { image_digest: outputs.image_digest }),
      ...(outputs.commit !== undefined && { commit: outputs.commit }),
      ...(state.finished_at !== undefined && {
        result: state.status,
        finished_at: state.finished_at,
        duration_ms: durationMs(state),
      }),
      ...(error !== undefined && { error_code: error.code, error_message: error.message }),
      ...(state.failed_phase !== undefined && { failed_phase: state.failed_phase }),
      ...(identity.rollback_of !== undefined && { rollback_of: identity.rollback_of }),
      ...rollbackOf(state),
      links,
    },
  };
}

export function firstTaskState({ identity, requested_at }: DeploymentState, links: DeploymentLinks): WedoTaskChange {
  return wedoTaskChange(
    evolve(undefined, { type: 'deployment_requested', at: requested_at, deployment: identity }),
    links,
  );
}

/** The task as the deployment was asked for, whatever has become of it by now: however often it is created, it is the same task. */
export function newWedoTask(state: DeploymentState, links: DeploymentLinks): NewWedoTask {
  const { app_name, version, environment } = state.identity;
  return {
    task_id: taskIdOf(state).id,
    description: `Deploy ${app_name} ${version} to ${environment}`,
    dependency: 'AGENT_CAPABLE',
    priority: 'normal',
    scope: 'global',
    tags: ['deployment', 'flukedeploy', app_name],
    ...firstTaskState(state, links),
  };
}

/** Why it was rolled back, by what, and whether that worked. */
function rollbackOf({ rollback, rolled_back_by, error }: DeploymentState): Readonly<Record<string, unknown>> {
  if (rollback === undefined) return {};
  return {
    rollback: {
      deployment_id: rollback.by,
      release: rollback.release,
      state: rolled_back_by !== undefined ? 'succeeded' : rollback.error === undefined ? 'in_progress' : 'failed',
      reason: error?.message ?? 'for an unknown reason',
      ...(rollback.error && { error_message: rollback.error.message }),
    },
  };
}

function noteOf(state: DeploymentState): string {
  const { identity, error, rollback, rollout } = state;
  const what = `${identity.app_name} ${identity.version}`;
  switch (state.status) {
    case 'pending':
      return `${what} waits for its turn.`;
    case 'building':
      return `${what} is being built.`;
    case 'deploying':
      return rollout?.paused === undefined
        ? `${what} is being deployed.`
        : `${what} waits for somebody to promote it: ${rollout.paused.reason}`;
    case 'success':
      return `${what} is live on ${identity.environment}, after ${seconds(state)} seconds.`;
    case 'failed': {
      const failed = `${what} failed: ${error?.message ?? 'for an unknown reason'}`;
      if (rollback === undefined) return failed;
      return rollback.error === undefined
        ? `${failed} It is being rolled back to release ${rollback.release}.`
        : `${failed} The rollback to release ${rollback.release} failed too: ${rollback.error.message}`;
    }
    case 'rolled_back':
      return `${what} was rolled back to release ${rollback?.release ?? '?'}: ${error?.message ?? 'for an unknown reason'}`;
    case 'cancelled':
      return `${what} was cancelled: ${error?.message ?? 'for an unknown reason'}`;
  }
}

function seconds(state: DeploymentState): number {
  return Math.round((durationMs(state) ?? 0) / 1000);
}
