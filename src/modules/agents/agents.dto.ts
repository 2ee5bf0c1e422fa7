/** Bodies and answers of the agents' routes. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, Length, Matches } from 'class-validator';
import type { Freeze } from '../../domain/policy.js';
import type { AgentRecord, AgentToken } from '../../domain/ports.js';
import { FreezeDto } from '../auth/index.js';
import { MayBeLeftOut } from '../deployments/index.js';

export class FreezeAgentsDto {
  /** Why: every agent that is refused is told. */
  @Matches(/^[^\p{C}]+$/u, { message: 'reason must be text without control characters' })
  @Length(1, 500)
  readonly reason: string;

  /** Cancels what agents have asked for and has not ended; else it goes on. */
  @MayBeLeftOut()
  @IsBoolean()
  readonly cancel_running?: boolean;
}

export class AgentTokenView implements AgentToken {
  id!: string;
  name!: string;
  expires_at?: string;
  /** To the minute. */
  last_used_at?: string;
}

export class AgentView implements AgentRecord {
  agent!: string;
  /** Those that still work. */
  tokens!: AgentTokenView[];
  last_used_at?: string;
  /** That it asked for within the last 24 hours. */
  deployments_24h!: number;
  /** It may read only. */
  frozen!: boolean;
}

export class AgentListView {
  agents!: AgentView[];
  /** Absent: they may do what their tokens allow. */
  @ApiPropertyOptional({ type: FreezeDto })
  frozen?: Freeze;
}

export class FrozenView {
  frozen!: FreezeDto;
  /** Ids of the deployments that are being cancelled. */
  cancelled!: string[];
}
