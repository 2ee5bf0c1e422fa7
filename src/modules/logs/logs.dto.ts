/** Query parameters of `GET /api/v1/logs`. */
import { Type } from 'class-transformer';
import { IsEnum, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import { FlukeDeployEventType, LOG_LEVELS, type LogLevel } from '../../domain/log-entry.js';

export class LogsQuery {
  @IsOptional() @Matches(/^[a-z0-9-]{1,50}$/, { message: 'app_name must be an app name' }) app_name?: string;
  @IsOptional() @Matches(/^[\w-]{1,64}$/, { message: 'deployment_id must be a deployment id' }) deployment_id?: string;
  /** This level and above. */
  @IsOptional() @IsIn(LOG_LEVELS) level?: LogLevel;
  @IsOptional() @IsEnum(FlukeDeployEventType) event_type?: FlukeDeployEventType;
  /** Entries of the last so many minutes; 60 by default, all with a cursor. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(5_256_000) since_minutes?: number;
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(LIMITS.page_entries) limit?: number;
  @IsOptional() @Type(() => Number) @IsInt() @Min(0) @Max(LIMITS.counted_entries) offset?: number;
  /** Entries after this one. */
  @IsOptional() @IsString() @MaxLength(100) cursor?: string;
}
