/** Entries that were given up, as few dead letters: neighbours that died of the same are one. Pure. */
import type { DeadLetter } from './flukebase-ports.js';

export interface DeadEntry {
  readonly sequence: number;
  readonly error: string;
}

/** @param entries in order */
export function deadRanges(entries: readonly DeadEntry[]): DeadLetter[] {
  const ranges: DeadLetter[] = [];
  for (const { sequence, error } of entries) {
    const last = ranges.at(-1);
    if (last !== undefined && last.last_sequence === sequence - 1 && last.error === error) {
      ranges[ranges.length - 1] = { ...last, last_sequence: sequence };
    } else {
      ranges.push({ kind: 'log', first_sequence: sequence, last_sequence: sequence, error });
    }
  }
  return ranges;
}
