/** How far a new version is, and where the requests go meanwhile, as the API shows it. */
import type { DeploymentState } from '../../domain/deployment.js';
import type { Strategy } from '../../domain/strategy.js';
import type { Backend, Traffic } from '../../domain/traffic.js';
import { isRollingOut } from './rollout-control.js';

export class PausedView {
  /** ISO 8601 UTC. */
  since!: string;
  reason!: string;
  /** Who asked for it. */
  by!: string;
}

export class RolloutView {
  /** The step of the strategy that it is in, from 1 on. */
  step!: number;
  /** How many steps there are. */
  of!: number;
  /** The Swarm service that becomes the new version. */
  service?: string;
  /** Nothing moves on meanwhile. */
  paused?: PausedView;
  /** All further steps are left out. */
  promoted_fully?: boolean;
  /** Why it was given up. */
  aborted?: string;
}

export class TrafficShareView {
  role!: 'stable' | 'canary' | 'preview';
  service!: string;
  release!: number;
  deployment_id!: string;
  /** Left out where requests are spread evenly over the replicas of several versions. */
  percent?: number;
  /** Replicas that take requests, where not all of them do yet. */
  replicas?: number;
  /** The host name of a preview. */
  host?: string;
}

/** Where people and agents may step in. */
export interface RolloutLinks {
  readonly promote?: string;
  readonly pause?: string;
  readonly resume?: string;
  readonly abort?: string;
}

export function rolloutView({ rollout }: DeploymentState, strategy: Strategy | undefined): RolloutView | undefined {
  if (rollout === undefined) return undefined;
  const { step, service, paused, promoted_fully, aborted } = rollout;
  const of = strategy?.type === 'canary' ? strategy.steps.length : 1;
  return {
    step: step + 1,
    of: Math.max(of, step + 1),
    ...(service !== undefined && { service }),
    ...(paused && { paused: { since: paused.at, reason: paused.reason, by: paused.actor.name } }),
    ...(promoted_fully && { promoted_fully }),
    ...(aborted && { aborted: aborted.reason }),
  };
}

export function trafficView({ stable, canary, preview }: Traffic): TrafficShareView[] {
  const rest = canary ? 100 - canary.weight : 100;
  return [
    ...stable.map((backend) => shareOf('stable', backend, stable.length === 1 ? rest : undefined)),
    ...(canary ? [shareOf('canary', canary.backend, canary.weight)] : []),
    ...(preview ? [shareOf('preview', preview.backend, undefined, preview.host)] : []),
  ];
}

function shareOf(role: TrafficShareView['role'], backend: Backend, percent?: number, host?: string): TrafficShareView {
  const { service, release, deployment_id, addresses } = backend;
  return {
    role,
    service,
    release,
    deployment_id,
    ...(percent !== undefined && { percent }),
    ...(host !== undefined && { host }),
    ...(addresses && { replicas: addresses.length }),
  };
}

/** What may be said to it now. */
export function rolloutLinks(self: string, state: DeploymentState): RolloutLinks {
  if (!isRollingOut(state)) return {};
  const isPaused = state.rollout?.paused !== undefined;
  return {
    promote: `${self}/promote`,
    ...(isPaused ? { resume: `${self}/resume` } : { pause: `${self}/pause` }),
    abort: `${self}/abort`,
  };
}
