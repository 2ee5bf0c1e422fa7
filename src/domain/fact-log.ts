/** How each fact reads in the log: the only place where lifecycle events get their words and their event type. */
import type { DeploymentState, Fact } from './deployment.js';
import { DeployError } from './errors.js';
import {
  actorMetadata,
  createDeploymentLog,
  createErrorLog,
  FlukeDeployEventType as Event,
  pluginComponent,
  type LogDraft,
} from './log-entry.js';
import type { Phase } from './phases.js';
import type { HookResult } from './hooks.js';
import { isRelease } from './releases.js';

interface PhaseEvents {
  readonly start: Event;
  readonly complete: Event;
  readonly error: Event;
  readonly title: string;
}

const PHASE_EVENTS: Readonly<Record<Phase, PhaseEvents>> = {
  pre_build: { start: Event.PRE_BUILD, complete: Event.PRE_BUILD, error: Event.BUILD_ERROR, title: 'Pre-build checks' },
  build: { start: Event.BUILD_START, complete: Event.BUILD_COMPLETE, error: Event.BUILD_ERROR, title: 'Build' },
  pre_deploy: {
    start: Event.PRE_DEPLOY,
    complete: Event.PRE_DEPLOY,
    error: Event.DEPLOY_ERROR,
    title: 'Pre-deploy checks',
  },
  deploy: { start: Event.DEPLOY_START, complete: Event.DEPLOY_COMPLETE, error: Event.DEPLOY_ERROR, title: 'Deploy' },
  post_deploy: {
    start: Event.POST_DEPLOY,
    complete: Event.POST_DEPLOY,
    error: Event.DEPLOY_ERROR,
    title: 'Post-deploy checks',
  },
};

/** The entry of `fact`; `state` is the deployment after it. */
export function describeFact(fact: Fact, state: DeploymentState): LogDraft {
  const { at } = fact;
  switch (fact.type) {
    case 'deployment_requested': {
      const { app_name, environment, version, source, actor, reason, rollback_of } = fact.deployment;
      return createDeploymentLog({
        at,
        event_type: Event.DEPLOY_START,
        message: `Deployment of ${app_name} ${version} to ${environment} requested: ${source}`,
        metadata: { version, ...actorMetadata(actor), ...(reason && { reason }), ...(rollback_of && { rollback_of }) },
      });
    }
    case 'deployment_started':
      return createDeploymentLog({
        at,
        message: `Deployment started, it must be done by ${fact.deadline_at}`,
        metadata: { replicas_to: fact.replicas },
      });
    case 'phase_started': {
      const { start, title } = PHASE_EVENTS[fact.phase];
      const again = state.phases[fact.phase].interruptions > 0 ? ' again: the worker before was lost' : '';
      const attempt = fact.attempt > 1 ? ` (attempt ${fact.attempt})` : '';
      return createDeploymentLog({ ...where(fact), event_type: start, message: `${title} started${attempt}${again}` });
    }
    case 'phase_released':
      return createDeploymentLog({
        ...where(fact),
        level: 'warn',
        message: `${PHASE_EVENTS[fact.phase].title} handed over: ${fact.reason}`,
      });
    case 'phase_succeeded': {
      const { complete, title } = PHASE_EVENTS[fact.phase];
      const { image, image_digest, commit } = fact.outputs;
      return createDeploymentLog({
        ...where(fact),
        event_type: complete,
        message: `${title} done`,
        metadata: {
          duration_ms: durationOf(state, fact.phase),
          ...(image && { image }),
          ...(image_digest && { image_digest }),
          ...(commit && { commit }),
        },
      });
    }
    case 'phase_skipped': {
      const { complete, title } = PHASE_EVENTS[fact.phase];
      return createDeploymentLog({
        at,
        phase: fact.phase,
        event_type: complete,
        message: `${title} skipped: ${fact.reason}`,
        metadata: { reason: fact.reason },
      });
    }
    case 'hook_ended':
      return hookEntry(at, fact.result);
    case 'phase_failed': {
      const { error: event_type, title } = PHASE_EVENTS[fact.phase];
      return createErrorLog({
        ...where(fact),
        event_type,
        error: fact.error,
        message: `${title} failed: ${fact.error.message}`,
        metadata: { duration_ms: durationOf(state, fact.phase) },
      });
    }
    case 'cancel_requested':
      return createDeploymentLog({
        at,
        level: 'warn',
        message: fact.superseded_by ? `Superseded by ${fact.superseded_by}` : `Cancel requested by ${fact.actor.name}`,
        metadata: {
          ...actorMetadata(fact.actor),
          ...(fact.reason && { reason: fact.reason }),
          ...(fact.superseded_by && { superseded_by: fact.superseded_by }),
        },
      });
    case 'deployment_succeeded': {
      const { app_name, version, release } = state.identity;
      const as = isRelease(state.identity) ? ` as release ${release}` : '';
      return createDeploymentLog({
        at,
        event_type: Event.DEPLOY_COMPLETE,
        message: `${app_name} ${version} is live${as}`,
        metadata: { version, duration_ms: elapsed(state), ...(state.outputs.image && { image: state.outputs.image }) },
      });
    }
    case 'traffic_shifted':
    case 'rollout_step':
      return createDeploymentLog({ ...where(fact), message: fact.summary });
    case 'rollout_paused':
      return createDeploymentLog({
        at,
        level: 'warn',
        message: `Rollout paused: ${fact.reason}`,
        metadata: { ...actorMetadata(fact.actor), reason: fact.reason },
      });
    case 'rollout_resumed':
      return createDeploymentLog({ at, message: 'Rollout resumed', metadata: actorMetadata(fact.actor) });
    case 'rollout_promoted':
      return createDeploymentLog({
        at,
        message: fact.full ? 'Rollout promoted: all further steps are left out' : 'Rollout promoted to its next step',
        metadata: actorMetadata(fact.actor),
      });
    case 'rollout_aborted':
      return createDeploymentLog({
        at,
        level: 'warn',
        message: `${fact.error ? 'The new version is taken back' : 'Rollout aborted'}: ${fact.reason}`,
        metadata: { ...actorMetadata(fact.actor), reason: fact.reason },
      });
    case 'deployment_failed':
      return createErrorLog({
        at,
        event_type: Event.DEPLOY_ERROR,
        error: fact.error,
        message: `Deployment failed${fact.phase ? ` in ${fact.phase}` : ''}: ${fact.error.message}${untouched(state)}`,
        metadata: { duration_ms: elapsed(state) },
      });
    case 'deployment_cancelled':
      return createErrorLog({
        at,
        event_type: Event.DEPLOY_ERROR,
        error: fact.error,
        message: fact.error.message,
        metadata: { duration_ms: elapsed(state) },
      });
    case 'rollback_ordered':
      return createDeploymentLog({
        at,
        level: 'warn',
        message: `Rollback to release ${fact.release} (${fact.version}) ordered: ${fact.by}`,
        metadata: { ...(state.error && { reason: state.error.message }), details: { rolled_back_by: fact.by } },
      });
    case 'deployment_rolled_back':
      return createDeploymentLog({
        at,
        level: 'warn',
        event_type: Event.DEPLOY_ERROR,
        message: `Rolled back by ${fact.by}`,
        metadata: { ...(state.error && { reason: state.error.message }), details: { rolled_back_by: fact.by } },
      });
    case 'rollback_failed':
      return createErrorLog({
        at,
        event_type: Event.DEPLOY_ERROR,
        error: new DeployError('rollback_failed').toFailure(),
        message: `THE ROLLBACK ${fact.by} FAILED TOO: ${fact.error.message} It is not tried again.`,
        metadata: { details: { rolled_back_by: fact.by, cause: fact.error } },
      });
  }
}

const HOOK_LEVELS = { passed: 'info', warned: 'warn', failed: 'error' } as const;

function hookEntry(at: string, { plugin, hook, attempt, outcome, duration_ms, ...told }: HookResult): LogDraft {
  const { code, message = 'passed', findings, outputs } = told;
  const goesOn = outcome === 'warned' ? ' The deployment goes on.' : '';
  return createDeploymentLog({
    at,
    phase: hook,
    attempt,
    component: pluginComponent(plugin),
    level: HOOK_LEVELS[outcome],
    message: `${plugin}: ${message}${goesOn}`,
    metadata: {
      duration_ms,
      details: { outcome, ...(code && { code }), ...(findings && { findings }), ...(outputs && { outputs }) },
    },
  });
}

/** What people want to know first of a failure: whether anybody noticed. */
function untouched({ has_served, base }: DeploymentState): string {
  if (has_served) return '';
  return base?.release === undefined
    ? ' No requests had reached it.'
    : ` Nothing was switched: release ${base.release} still serves.`;
}

function where(
  fact: Fact & { readonly phase: Phase; readonly attempt: number },
): Pick<LogDraft, 'at' | 'phase' | 'attempt'> {
  return { at: fact.at, phase: fact.phase, attempt: fact.attempt };
}

function durationOf(state: DeploymentState, phase: Phase): number {
  const { started_at, finished_at } = state.phases[phase];
  return between(started_at, finished_at);
}

function elapsed(state: DeploymentState): number {
  return between(state.requested_at, state.finished_at);
}

/** Milliseconds; the clocks of two machines may differ, so that the end seems to come first. */
function between(from: string | undefined, to: string | undefined): number {
  return from && to ? Math.max(0, Date.parse(to) - Date.parse(from)) : 0;
}
