/** The parameters of each strategy in a deploy body, with their bounds. What several of them must be together is in `strategy-field`. */
import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import {
  INCONCLUSIVE_CHOICES,
  STICKINESS,
  STRATEGY_TYPES,
  type InconclusiveChoice,
  type ReplicaShare,
  type Stickiness,
  type StrategyType,
} from '../../domain/strategy.js';
import { HOST_NAME, IsNested, MayBeLeftOut } from './field-forms.js';

const PERCENT = /^(100|[1-9]?\d)%$/;
const REPLICA_SHARE = {
  oneOf: [
    { type: 'integer', minimum: 0, maximum: 100 },
    { type: 'string', pattern: PERCENT.source },
  ],
};
const { canary_match_name_length: NAME_LENGTH, canary_match_value_length: VALUE_LENGTH } = LIMITS;
const HEADER_NAME = new RegExp(`^[A-Za-z0-9-]{1,${NAME_LENGTH}}$`);
const COOKIE_NAME = new RegExp(`^[A-Za-z0-9_-]{1,${NAME_LENGTH}}$`);
/** Printable ASCII without quotes, backslash, `$` and `;`, which would mean something to the proxy. */
const MATCH_VALUE = new RegExp(`^[ !#%&(-:<-[\\]-~]{1,${VALUE_LENGTH}}$`);

const IsReplicaShare = (): PropertyDecorator =>
  ValidateBy({
    name: 'isReplicaShare',
    validator: {
      validate: (value) =>
        typeof value === 'string'
          ? PERCENT.test(value)
          : Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 100,
      defaultMessage: () => '$property must be a whole number from 0 to 100, or a percentage such as 25%',
    },
  });

export class RollingStrategyDto {
  @ApiProperty({ enum: ['rolling'] }) @IsIn(['rolling']) type!: 'rolling';
  /** How many replicas there may be beyond those asked for; a percentage is rounded up. */
  @ApiPropertyOptional(REPLICA_SHARE) @MayBeLeftOut() @IsReplicaShare() max_surge?: ReplicaShare;
  /** How many replicas may be missing meanwhile; a percentage is rounded down. */
  @ApiPropertyOptional(REPLICA_SHARE) @MayBeLeftOut() @IsReplicaShare() max_unavailable?: ReplicaShare;
}

export class BlueGreenStrategyDto {
  @ApiProperty({ enum: ['blue_green'] }) @IsIn(['blue_green']) type!: 'blue_green';
  /** Host name at which the new set answers before the switch. */
  @MayBeLeftOut() @Matches(HOST_NAME, { message: '$property must be a host name' }) preview_host?: string;
  /** False: the switch waits for `promote`. */
  @MayBeLeftOut() @IsBoolean() auto_promote?: boolean;
  /** How long the old set runs on after the switch. */
  @MayBeLeftOut() @IsInt() @Min(0) @Max(LIMITS.strategy_seconds) scale_down_delay_seconds?: number;
}

export class PauseDto {
  /** Without it: until `promote` or `resume`. */
  @MayBeLeftOut() @IsInt() @Min(0) @Max(LIMITS.strategy_seconds) duration_seconds?: number;
}

/** Exactly one of the two. */
export class CanaryStepDto {
  /** Percent of the requests that the canary gets from now on. */
  @MayBeLeftOut() @IsInt() @Min(1) @Max(100) set_weight?: number;
  @MayBeLeftOut() @IsObject() @ValidateNested() @Type(() => PauseDto) pause?: PauseDto;
}

/** Exactly one of header and cookie. */
export class CanaryMatchDto {
  @MayBeLeftOut()
  @Matches(HEADER_NAME, { message: `$property must be letters, digits and dashes, at most ${NAME_LENGTH}` })
  header?: string;
  @MayBeLeftOut()
  @Matches(COOKIE_NAME, {
    message: `$property must be letters, digits, dashes and underscores, at most ${NAME_LENGTH}`,
  })
  cookie?: string;
  @Matches(MATCH_VALUE, {
    message: `$property must be 1 to ${VALUE_LENGTH} printable ASCII characters without quotes, backslash, $ and ;`,
  })
  value!: string;
}

/** When a canary is bad. Both versions are measured over the same time, at the edge. */
export class AnalysisDto {
  /** How often it is judged. */
  @MayBeLeftOut() @IsInt() @Min(1) @Max(LIMITS.analysis_interval_seconds) interval_seconds?: number;
  /** With fewer requests to the canary in a step there is no verdict. */
  @MayBeLeftOut() @IsInt() @Min(1) @Max(LIMITS.analysis_requests) min_requests?: number;
  /** Checks in a row that may fail before the canary is taken back. */
  @MayBeLeftOut() @IsInt() @Min(1) @Max(LIMITS.analysis_failures) failure_limit?: number;
  /** Percentage points by which the canary's share of 5xx may exceed the stable version's. */
  @MayBeLeftOut() @IsNumber() @Min(0) @Max(100) max_error_increase_percent?: number;
  /** Which part of the requests the latency is compared at. */
  @MayBeLeftOut() @IsNumber() @Min(0.5) @Max(0.999) latency_quantile?: number;
  /** How many times the stable version's latency the canary may take. */
  @MayBeLeftOut() @IsNumber() @Min(1) @Max(LIMITS.analysis_latency_ratio) max_latency_ratio?: number;
  /** Differences of latency below this count as none. */
  @MayBeLeftOut() @IsNumber() @Min(0) @Max(LIMITS.analysis_latency_tolerance_ms) latency_tolerance_ms?: number;
  /** What happens when a step ends without enough requests. */
  @MayBeLeftOut() @IsIn(INCONCLUSIVE_CHOICES) on_inconclusive?: InconclusiveChoice;
}

@ApiExtraModels(AnalysisDto)
export class CanaryStrategyDto {
  @ApiProperty({ enum: ['canary'] }) @IsIn(['canary']) type!: 'canary';
  /** Weights rise from step to step; the first step sets one. All pauses together take a day at most. */
  @MayBeLeftOut()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(LIMITS.strategy_steps)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CanaryStepDto)
  steps?: CanaryStepDto[];
  /** `cookie`: a visitor who met the canary once stays with it. */
  @MayBeLeftOut() @IsIn(STICKINESS) stickiness?: Stickiness;
  /** Requests that carry one of these always reach the canary. */
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(LIMITS.canary_matches)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => CanaryMatchDto)
  match?: CanaryMatchDto[];
  /** False: nothing judges the canary. */
  @ApiPropertyOptional({ oneOf: [{ type: 'boolean', enum: [false] }, { $ref: getSchemaPath(AnalysisDto) }] })
  @MayBeLeftOut()
  @ValidateIf((_, value) => value !== false)
  @IsNested('$property must be false or an object')
  @Type(() => AnalysisDto)
  analysis?: AnalysisDto | false;
  /** How long the old version runs on after the last step. */
  @MayBeLeftOut() @IsInt() @Min(0) @Max(LIMITS.strategy_seconds) scale_down_delay_seconds?: number;
}

/** A strategy without a known type: of its other fields only those that no strategy has can be told. */
export class UnknownStrategyDto {
  @IsIn(STRATEGY_TYPES) type!: StrategyType;
  @Allow() max_surge?: unknown;
  @Allow() max_unavailable?: unknown;
  @Allow() preview_host?: unknown;
  @Allow() auto_promote?: unknown;
  @Allow() scale_down_delay_seconds?: unknown;
  @Allow() steps?: unknown;
  @Allow() stickiness?: unknown;
  @Allow() match?: unknown;
  @Allow() analysis?: unknown;
}
