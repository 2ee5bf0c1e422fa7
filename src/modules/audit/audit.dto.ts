/** Query parameters of the audit trail. */
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import { IsTime } from '../time-field.js';

export const AUDIT_FORMATS = ['json', 'json-ld', 'ndjson'] as const;
export type AuditFormat = (typeof AUDIT_FORMATS)[number];

export class AuditQuery {
  /** Name of the actor, or id of its token. */
  @IsOptional() @IsString() @MaxLength(200) actor?: string;
  @IsOptional() @IsString() @MaxLength(200) agent?: string;
  /** Such as `app.scale`. */
  @IsOptional() @IsString() @MaxLength(100) action?: string;
  @IsOptional() @IsString() @MaxLength(200) target?: string;
  /** `succeeded`, `unknown`, or the code of an error. */
  @IsOptional() @IsString() @MaxLength(100) outcome?: string;
  /** From this time on, ISO 8601. */
  @IsOptional() @IsTime() since?: string;
  /** Before this time. */
  @IsOptional() @IsTime() until?: string;
  /** Entries after this one. */
  @IsOptional() @IsString() @MaxLength(100) cursor?: string;
  /** 1000 when left out; an NDJSON export has everything then. */
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(LIMITS.page_entries) limit?: number;
  /** Instead of the header Accept. */
  @IsOptional() @IsIn(AUDIT_FORMATS) format?: AuditFormat;
}

export class AuditVerifyQuery {
  /** `<number>:<hash>` of an entry, as a former verification told them: it must still be there. */
  @IsOptional()
  @Matches(/^[1-9]\d{0,14}:[0-9a-f]{64}$/, { message: 'anchor must be <number>:<hash>' })
  anchor?: string;
}
