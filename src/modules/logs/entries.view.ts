/** Log entries as REST answers them. Their schema is the one that is served at `/schemas/unified-log.schema.json`. */
import { ApiProperty } from '@nestjs/swagger';
import type { UnifiedLogEntry } from '../../domain/log-entry.js';
import { PHASES, type DeploymentStatus, type Phase } from '../../domain/phases.js';

const ENTRIES = { type: 'array', items: { $ref: '#/components/schemas/UnifiedLogEntry' } } as const;
/** Entries that belong to no phase. */
export const NO_PHASE = 'deployment';

export class GapView {
  from!: string;
  to!: string;
}

export class LogsView {
  @ApiProperty(ENTRIES)
  entries!: UnifiedLogEntry[];
  /** How many entries match, whatever the limit. */
  total!: number;
  /** There are more than are counted. */
  total_capped?: boolean;
  limit!: number;
  offset!: number;
  /** Give it back as `cursor` to read on. */
  next_cursor!: string;
  /** Entries after the cursor that are no longer kept. */
  gap?: GapView;
}

export class DeploymentLogsView {
  deployment_id!: string;
  status!: DeploymentStatus;
  @ApiProperty({
    type: 'object',
    properties: Object.fromEntries([NO_PHASE, ...PHASES].map((phase) => [phase, ENTRIES])),
  })
  phases!: Record<Phase | typeof NO_PHASE, UnifiedLogEntry[]>;
  /** Give it back as `cursor` to read on. */
  next_cursor!: string;
  has_more!: boolean;
  /** Entries after the cursor that are no longer kept. */
  gap?: GapView;
}
