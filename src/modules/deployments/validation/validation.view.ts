/** What a validation answers. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  PLAN_ACTIONS,
  type DeployPlan,
  type Issue,
  type PlanAction,
  type PlanStep,
} from '../../../domain/deploy-plan.js';
import type { JsonObject, Severity } from '../../../domain/hooks.js';
import { PHASES, type Phase } from '../../../domain/phases.js';

export class IssueView implements Issue {
  /** From the table at `/problems`, or the plugin's own. */
  code!: string;
  @ApiProperty({ enum: ['error', 'warning', 'info'], enumName: 'Severity' })
  severity!: Severity;
  /** Whether it would stop the deployment: the validation level decides. */
  stops!: boolean;
  /** The field of the request, or the place in the source, such as `Dockerfile:3`. */
  path?: string;
  message!: string;
  /** What to do about it. */
  hint?: string;
  /** Which plugin found it. */
  plugin?: string;
  /** The last lines of a program that failed. */
  @ApiPropertyOptional({ type: [String] })
  evidence?: readonly string[];
}

export class PlanStepView implements PlanStep {
  @ApiProperty({ enum: PHASES, enumName: 'Phase' })
  phase!: Phase;
  @ApiProperty({ enum: PLAN_ACTIONS, enumName: 'PlanAction' })
  action!: PlanAction;
  /** What is done, in a sentence. */
  summary!: string;
  @ApiPropertyOptional({ type: [String] })
  plugins?: readonly string[];
  /** The numbers and names of the sentence. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  data?: JsonObject;
}

export class RestartView {
  /** Replicas that serve now and would be replaced. */
  replicas!: number;
  reason!: string;
}

export class DowntimeView {
  /** 0, or the least that it takes. */
  seconds!: number;
  reason!: string;
}

export class CapacityView {
  /** Replicas that run at most beside those that run now. */
  replicas_extra!: number;
  /** What they reserve. */
  cpus!: number;
  memory_mb!: number;
  /** Whether the cluster has room for them. */
  fits!: boolean;
}

export class ValidationView implements Partial<DeployPlan> {
  /** Whether nothing that was found would stop the deployment. */
  valid!: boolean;
  @ApiProperty({ type: [IssueView] })
  issues!: readonly IssueView[];
  /** What would be done, in order; empty where the source itself is refused. */
  @ApiProperty({ type: [PlanStepView] })
  plan!: readonly PlanStepView[];
  /** A person must approve the deployment first; the request of the deployment itself asks for it. */
  @ApiPropertyOptional({ enum: [true] })
  requires_approval?: true;
  /** Absent, as what follows, where there is no plan. */
  restart?: RestartView;
  expected_downtime?: DowntimeView;
  capacity?: CapacityView;
  /**
   * Fingerprint of everything that decides what would happen: equal for the same request to the same app in the same state. Absent where a
   * part of the request is refused: then the plan is one without it.
   */
  plan_hash?: string;
}
