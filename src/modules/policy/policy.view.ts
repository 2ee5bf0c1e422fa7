/** Decisions and approvals as the API shows them. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { ActionKind, PolicyDecision, RuleName } from '../../domain/policy.js';
import { ACTION_KINDS, RULE_NAMES } from '../../domain/policy.js';
import { APPROVAL_STATUSES, type Approval, type ApprovalStatus } from '../../domain/ports.js';

export class DecisionView implements PolicyDecision {
  allowed!: boolean;
  /** The rule that decided: the first that applied. */
  @ApiProperty({ enum: RULE_NAMES })
  rule!: RuleName;
  /** In plain words. */
  reason!: string;
  /** It is allowed as soon as a person approves. */
  @ApiPropertyOptional({ enum: [true] })
  needs_approval?: true;
}

export class ApprovalView {
  approval_id!: string;
  @ApiProperty({ enum: APPROVAL_STATUSES })
  status!: ApprovalStatus;
  @ApiProperty({ enum: ACTION_KINDS })
  kind!: ActionKind;
  app_name!: string;
  environment!: string;
  replicas?: number;
  strategy?: string;
  /** What exactly is asked for, in words. */
  summary!: string;
  /** Binds the approval to this and no other request. */
  plan_hash!: string;
  token_id!: string;
  actor!: string;
  agent?: string;
  on_behalf_of?: string;
  asked_at!: string;
  /** From then on it counts no more. */
  expires_at!: string;
  decided_at?: string;
  decided_by?: string;
  reason?: string;
  used_at?: string;
}

export class ApprovalListView {
  /** The newest thousand. */
  approvals!: ApprovalView[];
}

export function approvalView({ id, action, actor, decided_by, ...rest }: Approval): ApprovalView {
  const { agent, on_behalf_of } = actor;
  return {
    approval_id: id,
    ...action,
    ...rest,
    actor: actor.name,
    ...(agent !== undefined && { agent }),
    ...(on_behalf_of !== undefined && { on_behalf_of }),
    ...(decided_by && { decided_by: decided_by.name }),
  };
}
