/** Parameters and bodies of the routes of FlukeBase. */
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import { IsTime } from '../time-field.js';

const LETTER = { message: 'it is no id of a dead letter' };

export class BackfillDto {
  /** Deployments that were asked for from this time on, ISO 8601. */
  @IsTime() since!: string;
  /** Before this time; now when left out. */
  @IsOptional() @IsTime() until?: string;
  /** Goes on behind the last page. */
  @IsOptional() @IsString() @MaxLength(100) cursor?: string;
  /** Deployments a page. */
  @IsOptional() @IsInt() @Min(1) @Max(LIMITS.page_deployments) limit?: number;
}

export class DeadLettersQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(LIMITS.page_dead_letters) limit?: number;
  /** Id of the last one of the page before. */
  @IsOptional() @Matches(/^[\w-]{1,60}$/, LETTER) before?: string;
}

export class DeadLetterParams {
  @Matches(/^[\w-]{1,60}$/, LETTER) letter!: string;
}
