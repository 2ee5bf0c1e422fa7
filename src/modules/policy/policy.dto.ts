/** Bodies and queries of policy and approvals. */
import { Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import { ACTION_KINDS, type Action, type ActionKind } from '../../domain/policy.js';
import { APPROVAL_STATUSES, type ApprovalStatus } from '../../domain/ports.js';
import { STRATEGY_TYPES, type StrategyType } from '../../domain/strategy.js';

const NAME = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

export class ActionDto implements Action {
  @IsIn(ACTION_KINDS)
  readonly kind: ActionKind;

  @Matches(NAME)
  @MaxLength(LIMITS.app_name_length)
  readonly app_name: string;

  /** Left out: `production`. */
  @Matches(NAME)
  @MaxLength(LIMITS.app_name_length)
  readonly environment: string = 'production';

  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(LIMITS.replicas)
  readonly replicas?: number;

  /** Left out: the one that the app uses. */
  @MayBeLeftOut()
  @IsIn(STRATEGY_TYPES)
  readonly strategy?: StrategyType;
}

export class ExplainDto {
  @IsObject()
  @ValidateNested()
  @Type(() => ActionDto)
  readonly action: ActionDto;

  /** For administrators: the decision for this token instead of the caller. */
  @MayBeLeftOut()
  @Matches(/^[0-9a-f]{12}$/, { message: 'token_id must be the id of a token' })
  readonly token_id?: string;
}

export class ApprovalsQuery {
  @MayBeLeftOut()
  @IsIn(APPROVAL_STATUSES)
  readonly status?: ApprovalStatus;
}

export class ApprovalParams {
  @Matches(/^apr-[0-9a-f]{16}$/, { message: 'id must be the id of an approval' })
  readonly id: string;
}

export class DecideDto {
  /** Why, for the agent and the audit trail. */
  @MayBeLeftOut()
  @IsString()
  @MaxLength(500)
  readonly reason?: string;
}
