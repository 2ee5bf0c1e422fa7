/** How FlukeBase stands, as REST answers it: never the token. */
import { ApiProperty } from '@nestjs/swagger';
import type { BreakerState } from '../../domain/flukebase-upstream.js';
import {
  LETTER_KINDS,
  type Backfilled,
  type DeadLetterRecord,
  type FlukeBaseFinding,
  type LetterKind,
} from '../../domain/ports.js';

export class FlukeBaseView {
  /** Whether FLUKEBASE_API_TOKEN is set. */
  enabled!: boolean;
  url!: string;
  /** Entries that FlukeBase has not been told yet. */
  waiting!: number;
  /** Age of the oldest of them. */
  lag_seconds!: number;
  /** Dead letters: what FlukeBase would not take. */
  dead!: number;
  breaker!: BreakerState;
  /** Why nothing is sent until somebody changes something. */
  paused?: string;
  /** Why what waits could not be sent. */
  last_error?: string;
}

export class FlukeBaseFindingView implements FlukeBaseFinding {
  readonly about!: FlukeBaseFinding['about'];
  readonly ok!: boolean;
  readonly message!: string;
}

export class FlukeBaseCheckView {
  works!: boolean;
  findings!: FlukeBaseFindingView[];
}

export class DeadLetterView implements DeadLetterRecord {
  readonly id!: string;
  readonly deployment_id!: string;
  /** `log`: entries. `deployment`: the summary. `task`: the WeDo task. */
  @ApiProperty({ enum: LETTER_KINDS, enumName: 'LetterKind' })
  readonly kind!: LetterKind;
  readonly first_sequence!: number;
  readonly last_sequence!: number;
  readonly error!: string;
  readonly died_at!: string;
}

export class DeadLetterListView {
  dead_letters!: DeadLetterView[];
}

export class BackfilledView implements Backfilled {
  /** That this page looked at. */
  readonly deployments!: number;
  /** Of them, those that had not been queued or sent before. */
  readonly queued!: number;
  /** Send it with the next request; absent at the end. */
  readonly next_cursor?: string;
}
