/** Query parameters and small bodies of the deployment routes. */
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import { LOG_LEVELS, type LogLevel } from '../../domain/log-entry.js';
import { PHASES, type Phase } from '../../domain/phases.js';
import { MayBeLeftOut } from './field-forms.js';
import { IsName } from './name-field.js';

export class DeploymentParams {
  @Matches(/^[\w-]{1,64}$/, { message: 'id must be a deployment id' }) id!: string;
}

export class AppParams {
  @IsName(LIMITS.app_name_length, 'name must be an app name') name!: string;
}

export class StatusQuery {
  /** Answer only when something has changed, or after this many seconds. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(LIMITS.wait_seconds) wait_seconds?: number;
}

export class PageQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(LIMITS.page_deployments) limit?: number;
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(LIMITS.counted_entries) offset?: number;
}

export class HistoryQuery extends PageQuery {
  @IsOptional() @IsName(undefined, 'environment must be an environment name') environment?: string;
}

export class DeploymentLogsQuery {
  @IsOptional() @IsIn(PHASES) phase?: Phase;
  /** This level and above. */
  @IsOptional() @IsIn(LOG_LEVELS) level?: LogLevel;
  /** Entries after this one. */
  @IsOptional() @IsString() @MaxLength(100) cursor?: string;
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(LIMITS.page_entries) limit?: number;
  /** When there is no entry yet, wait this many seconds for one. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(LIMITS.wait_seconds) wait_seconds?: number;
}

export class CancelDto {
  @MayBeLeftOut() @IsString() @MaxLength(500) reason?: string;
}

export class PauseDto {
  @MayBeLeftOut() @IsString() @MaxLength(500) reason?: string;
}

export class AbortDto extends PauseDto {}

export class PromoteDto {
  /** All further steps are left out. */
  @MayBeLeftOut() @IsBoolean() full?: boolean;
}
