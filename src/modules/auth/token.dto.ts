/** Bodies of making and listing API tokens. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  IsArray,
  IsIn,
  IsInt,
  Length,
  Matches,
  Max,
  Min,
  ValidateIf,
} from 'class-validator';
import { type Scope, SCOPES } from './policy.js';

const MOST_APPS = 100;
const MOST_DAYS = 3_650;
/** Names appear in logs, where control characters could forge lines. */
const PRINTABLE = /^[^\p{C}]+$/u;

/** Unlike IsOptional no null: `apps: null` must not quietly mean all apps. */
const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

export class CreateTokenDto {
  /** What it is for. */
  @Matches(PRINTABLE, { message: 'name must be text without control characters' })
  @Length(1, 100)
  readonly name: string;

  /** What it allows; `admin` includes everything. */
  @IsArray()
  @ArrayNotEmpty()
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  readonly scopes: Scope[];

  /** The only apps it may touch, as names or patterns such as `web-*`; left out: all. */
  @MayBeLeftOut()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_APPS)
  @Matches(/^[a-z0-9*-]{1,50}$/, { each: true, message: 'each value in apps must be an app name or a pattern with *' })
  readonly apps?: string[];

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

export class TokenDto {
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
