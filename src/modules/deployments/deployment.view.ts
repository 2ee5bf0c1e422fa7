/** A deployment as the API shows it. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { DEPLOYMENT_KINDS, type DeploymentKind, type DeploymentState, type PhaseState } from '../../domain/facts.js';
import type { ErrorCode, Failure } from '../../domain/errors.js';
import { HOOKS, type Finding, type Hook, type HookResult, type JsonObject, type Severity } from '../../domain/hooks.js';
import { PHASES, type DeploymentStatus, type Phase, type PhaseStatus } from '../../domain/phases.js';
import type { DeploymentStats, PlacedDeployment } from '../../domain/ports.js';
import {
  rolloutLinks,
  type RolloutLinks,
  rolloutView,
  RolloutView,
  TrafficShareView,
  trafficView,
} from './rollout.view.js';

export class FailureView implements Failure {
  /** From the table at `/problems`. */
  code!: ErrorCode;
  /** What happened, in plain words. */
  message!: string;
  /** Whether the same step may succeed when it is run again. */
  retryable!: boolean;
  /** The last output, the failing probe, or the task's error. */
  @ApiPropertyOptional({ type: [String] })
  evidence?: readonly string[];
  /** The next thing to try. */
  hint?: string;
  /** Where a plugin stopped the deployment: its name, and the code that it gave itself. */
  plugin?: string;
  plugin_code?: string;
}

export class FindingView implements Finding {
  @ApiProperty({ enum: ['error', 'warning', 'info'], enumName: 'Severity' })
  severity!: Severity;
  code!: string;
  message!: string;
  /** Where it is, such as `Dockerfile:3`. */
  place?: string;
  hint?: string;
}

export class HookResultView implements HookResult {
  plugin!: string;
  @ApiProperty({ enum: HOOKS, enumName: 'Hook' })
  hook!: Hook;
  attempt!: number;
  /** `warned`: it failed, or found something, and the deployment went on. */
  @ApiProperty({ enum: ['passed', 'warned', 'failed'], enumName: 'HookOutcome' })
  outcome!: HookResult['outcome'];
  duration_ms!: number;
  code?: string;
  message?: string;
  @ApiPropertyOptional({ type: [FindingView] })
  findings?: readonly FindingView[];
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  outputs?: JsonObject;
}

export class PhaseView {
  status!: PhaseStatus;
  attempt!: number;
  /** ISO 8601 UTC. */
  started_at?: string;
  duration_ms?: number;
  /** Why the phase was skipped. */
  reason?: string;
  error?: FailureView;
}

export class PhasesView implements Record<Phase, PhaseView> {
  pre_build!: PhaseView;
  build!: PhaseView;
  pre_deploy!: PhaseView;
  deploy!: PhaseView;
  post_deploy!: PhaseView;
}

export class DeploymentLinks implements RolloutLinks {
  self!: string;
  logs!: string;
  app!: string;
  cancel?: string;
  /** Where people and agents may step into a rollout. */
  promote?: string;
  pause?: string;
  resume?: string;
  abort?: string;
}

/** The way back of a deployment that failed after requests had met it. */
export class RollbackView {
  /** The deployment that goes back. */
  by!: string;
  /** The release it goes back to. */
  release!: number;
  error?: FailureView;
}

export class DeploymentView {
  deployment_id!: string;
  /** What it is for. */
  @ApiProperty({ enum: DEPLOYMENT_KINDS, enumName: 'DeploymentKind' })
  kind!: DeploymentKind;
  status!: DeploymentStatus;
  app_name!: string;
  environment!: string;
  project!: string;
  version!: string;
  release!: number;
  /** Where it comes from, in words. */
  source!: string;
  /** Deployments of the app that come first; 0 = it runs or has ended. */
  position!: number;
  /** The deployment it waits for. */
  behind?: string;
  phases!: PhasesView;
  /** The last run of each plugin's hook, in order. */
  @ApiPropertyOptional({ type: [HookResultView] })
  hooks?: readonly HookResultView[];
  image?: string;
  image_digest?: string;
  commit?: string;
  replicas?: number;
  actor!: string;
  agent?: string;
  /** For whom it was asked for, as the caller says. */
  on_behalf_of?: string;
  reason?: string;
  rollback_of?: string;
  /** The release that a rollback goes back to. */
  rollback_to?: number;
  /** The approval that it has used up. */
  approval_id?: string;
  rollout?: RolloutView;
  /** Where it has sent the requests. */
  traffic?: TrafficShareView[];
  /** Whether its version has answered requests. */
  has_served?: boolean;
  rollback?: RollbackView;
  rolled_back_by?: string;
  cancel_reason?: string;
  requested_at!: string;
  started_at?: string;
  deadline_at?: string;
  finished_at?: string;
  duration_ms?: number;
  failed_phase?: Phase;
  error?: FailureView;
  links!: DeploymentLinks;
}

export class DeploymentListView {
  deployments!: DeploymentView[];
  /** How many there are in all. */
  total!: number;
}

export class AppHistoryView extends DeploymentListView {
  app_name!: string;
  limit!: number;
  offset!: number;
}

export class DeploymentStatsView implements DeploymentStats {
  total!: number;
  /** Number of deployments by their status. */
  @ApiProperty({ type: 'object', additionalProperties: { type: 'integer' } })
  by_status!: Record<DeploymentStatus, number>;
  /** Log entries that are kept. */
  entries!: number;
  /** Of the last hundred successes. */
  average_duration_ms?: number;
}

export function deploymentView({ state, place, strategy }: PlacedDeployment): DeploymentView {
  const { id, kind = 'deploy', app_name, environment, project, version, release, source } = state.identity;
  const { actor, reason, rollback_of, rollback_to, approval_id } = state.identity;
  return {
    deployment_id: id,
    kind,
    status: state.status,
    app_name,
    environment,
    project,
    version,
    release,
    source,
    ...place,
    phases: Object.fromEntries(PHASES.map((phase) => [phase, phaseView(state.phases[phase])])) as unknown as PhasesView,
    ...state.outputs,
    ...defined({ hooks: state.hooks, replicas: state.replicas, reason, rollback_of, rollback_to, approval_id }),
    ...defined({ agent: actor.agent, on_behalf_of: actor.on_behalf_of }),
    actor: actor.name,
    ...defined({
      rollout: rolloutView(state, strategy),
      traffic: state.traffic && trafficView(state.traffic),
      has_served: state.has_served,
      rollback: state.rollback,
      rolled_back_by: state.rolled_back_by,
      cancel_reason: state.cancel?.reason,
      failed_phase: state.failed_phase,
    }),
    requested_at: state.requested_at,
    ...defined({ started_at: state.started_at, deadline_at: state.deadline_at, finished_at: state.finished_at }),
    ...(state.finished_at && { duration_ms: Date.parse(state.finished_at) - Date.parse(state.requested_at) }),
    ...defined({ error: state.error }),
    links: links(state),
  };
}

function phaseView({ status, attempt, started_at, finished_at, skipped_because, error }: PhaseState): PhaseView {
  return {
    status,
    attempt,
    ...defined({ started_at, reason: skipped_because, error }),
    ...(started_at && finished_at && { duration_ms: Date.parse(finished_at) - Date.parse(started_at) }),
  };
}

function links(state: DeploymentState): DeploymentLinks {
  const { identity, finished_at } = state;
  const self = `/api/v1/deployments/${identity.id}`;
  return {
    self,
    logs: `${self}/logs`,
    app: `/api/v1/apps/${identity.app_name}/deployments`,
    ...(finished_at === undefined && { cancel: `${self}/cancel` }),
    ...rolloutLinks(self, state),
  };
}

/** Nulls are omitted on the wire. */
function defined<Fields extends object>(fields: Fields): { [Name in keyof Fields]?: NonNullable<Fields[Name]> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as {
    [Name in keyof Fields]?: NonNullable<Fields[Name]>;
  };
}
