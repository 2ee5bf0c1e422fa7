/** Which entries of a lane go together, and what is left of a batch after a request. Pure. */
import { batchOver, DELIVERY_RULE, recovered, type LaneState } from './flukebase-lane.js';

/** The most entries that are sent at once. */
export function batchLimit({ strikes }: LaneState): number {
  const { batch_entries, halving_strikes } = DELIVERY_RULE;
  return Math.max(1, batch_entries >> Math.max(0, strikes - halving_strikes + 1));
}

/** How many of these sizes, in bytes, go together: always one. */
export function batchLength(sizes: readonly number[], entries: number = DELIVERY_RULE.batch_entries): number {
  let bytes = 0;
  let length = 0;
  for (const size of sizes.slice(0, entries)) {
    bytes += size + 1;
    if (length > 0 && bytes > DELIVERY_RULE.batch_bytes) break;
    length++;
  }
  return length;
}

interface Place {
  readonly sequence: number;
}

/**
 * The entries of the batch that was begun, of a part that is missing still no more than the limit, or those of a new one.
 * @param stored behind what is done, in order; without those that were deleted
 */
export function nextBatch<Row extends Place>(
  state: LaneState,
  stored: readonly Row[],
  bytesOf: (row: Row) => number,
): { readonly rows: readonly Row[]; readonly end: number } | undefined {
  const { batch_end, missing } = state;
  if (batch_end === undefined) {
    const rows = stored.slice(0, batchLength(stored.map(bytesOf), batchLimit(state)));
    const last = rows.at(-1);
    return last && { rows, end: last.sequence };
  }
  const rows =
    missing === undefined
      ? stored
      : stored.filter(({ sequence }) => missing.includes(sequence)).slice(0, batchLimit(state));
  return rows.length === 0 ? undefined : { rows, end: batch_end };
}

/** @param left those of the sent that FlukeBase has neither taken nor refused for ever */
export function batchSent(state: LaneState, end: number, sent: readonly number[], left: readonly number[]): LaneState {
  const missing = (state.missing ?? sent).filter((sequence) => !sent.includes(sequence) || left.includes(sequence));
  if (missing.length === 0) return batchOver(state, end);
  return left.length === sent.length ? state : { ...recovered(state), missing };
}
