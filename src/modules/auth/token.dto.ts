/** Bodies of making and listing API tokens. */
import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  Length,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import { APPROVABLE_KINDS, type ApprovableKind, type ApprovalRule, type TokenLimits } from '../../domain/policy.js';
import { STRATEGY_TYPES, type StrategyType } from '../../domain/strategy.js';
import { type Scope, SCOPES } from './policy.js';
import { type Persona, PERSONAS } from './token-persona.js';

const MOST_PATTERNS = 100;
const MOST_DAYS = 3_650;
const MOST_PER_HOUR = 1_000;
/** Names appear in logs, where control characters could forge lines. */
const PRINTABLE = /^[^\p{C}]+$/u;

/** Unlike IsOptional no null: `apps: null` must not quietly mean all apps. */
const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

const IS_OBJECT = { message: 'approval must be an object' };

const ArePatterns = (of: string): PropertyDecorator =>
  applyDecorators(
    MayBeLeftOut(),
    IsArray(),
    ArrayNotEmpty(),
    ArrayMaxSize(MOST_PATTERNS),
    Matches(/^[a-z0-9*-]{1,50}$/, { each: true, message: `each value in $property must be ${of} or a pattern with *` }),
  );

const AreSome = (values: readonly string[]): PropertyDecorator =>
  applyDecorators(IsArray(), ArrayNotEmpty(), ArrayUnique(), IsIn(values, { each: true }));

class ApprovalRuleDto implements ApprovalRule {
  /** Environments, as names or patterns; left out: all. */
  @ArePatterns('an environment name')
  readonly environments?: string[];

  /** Apps, as names or patterns; left out: all. */
  @ArePatterns('an app name')
  readonly apps?: string[];

  /** Left out: all of these. */
  @MayBeLeftOut()
  @AreSome(APPROVABLE_KINDS)
  readonly kinds?: ApprovableKind[];

  /** An agent's client may ask the person who uses it, by MCP elicitation, and what it answers counts; left out: it does not. */
  @MayBeLeftOut()
  @IsBoolean()
  readonly by_elicitation?: boolean;
}

export class CreateTokenDto implements TokenLimits {
  /** What it is for. */
  @Matches(PRINTABLE, { message: 'name must be text without control characters' })
  @Length(1, 100)
  readonly name: string;

  /** In the place of scopes; `operator`: an agent that may read, deploy and roll back, for 30 days unless you say otherwise. */
  @MayBeLeftOut()
  @IsIn(PERSONAS)
  readonly persona?: Persona;

  /** What it allows; `admin` includes everything. */
  @ValidateIf(({ persona, scopes }: CreateTokenDto) => persona === undefined || scopes !== undefined)
  @AreSome(SCOPES)
  readonly scopes?: Scope[];

  /** The only apps it may touch, as names or patterns such as `web-*`; left out: all. */
  @ArePatterns('an app name')
  readonly apps?: string[];

  /** The only environments it may change, as names or patterns; left out: all. */
  @ArePatterns('an environment name')
  readonly environments?: string[];

  /** The most replicas that it may ask for. */
  @MayBeLeftOut()
  @IsInt()
  @Min(0)
  @Max(LIMITS.replicas)
  readonly max_replicas?: number;

  /** The only strategies that its deployments may use. */
  @MayBeLeftOut()
  @AreSome(STRATEGY_TYPES)
  readonly strategies?: StrategyType[];

  /** How many deployments of any kind it may ask for within sixty minutes. */
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST_PER_HOUR)
  readonly deploys_per_hour?: number;

  /** Where a person must approve first; `{}`: everywhere. */
  @MayBeLeftOut()
  @ValidateBy({ name: 'isNoList', validator: { validate: (value) => !Array.isArray(value) } }, IS_OBJECT)
  @ValidateNested(IS_OBJECT)
  @Type(() => ApprovalRuleDto)
  readonly approval?: ApprovalRuleDto;

  /** Name of the agent that acts with it, such as `OPERATOR`; it is shown in every entry that it causes. */
  @MayBeLeftOut()
  @Matches(PRINTABLE, { message: 'agent must be text without control characters' })
  @Length(1, 100)
  readonly agent?: string;

  /** Days until it expires; left out: 365. */
  @MayBeLeftOut()
  @IsInt()
  @Min(1)
  @Max(MOST_DAYS)
  readonly expires_in_days?: number;
}

/** What narrows a token down beside scopes and apps; absent: not limited. */
export class TokenLimitsDto implements TokenLimits {
  @ApiPropertyOptional({ type: [String] })
  readonly environments?: readonly string[];
  readonly max_replicas?: number;
  @ApiPropertyOptional({ type: [String], enum: STRATEGY_TYPES })
  readonly strategies?: readonly StrategyType[];
  readonly deploys_per_hour?: number;
  @ApiPropertyOptional({ type: ApprovalRuleDto })
  readonly approval?: ApprovalRule;
}

export class TokenDto extends TokenLimitsDto {
  readonly id: string;
  readonly name: string;
  @ApiProperty({ type: [String], enum: SCOPES })
  readonly scopes: readonly string[];
  /** The only apps it may touch; absent: all. */
  @ApiPropertyOptional({ type: [String] })
  readonly apps?: readonly string[];
  readonly agent?: string;
  /** ISO 8601, as all times. */
  readonly created_at: string;
  readonly expires_at?: string;
  /** To the minute. */
  readonly last_used_at?: string;
  readonly revoked_at?: string;
}

export class CreatedTokenDto extends TokenDto {
  /** The token itself, for `Authorization: Bearer …`. It cannot be shown again. */
  readonly token: string;
}

export class TokenListDto {
  readonly tokens: TokenDto[];
}
