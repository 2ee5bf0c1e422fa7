/** How many records refusals may cause: whoever is refused again and again gets some of them one by one, and then a count each minute. */

/** Of one token or address, in a minute. */
export const RECORDS_PER_MINUTE = 60;
/** Whose refusals are counted by themselves; those of all others together. */
const MOST_COUNTED = 100;
const OTHERS = '';

interface Count<Last> {
  recorded: number;
  left: number;
  last: Last;
}

/** What was not recorded one by one, with the last of it. */
export interface Rest<Last> {
  readonly count: number;
  readonly last: Last;
}

export class RefusalAllowance<Last> {
  readonly #counts = new Map<string, Count<Last>>();

  /** Whether this one is recorded by itself. */
  admit(who: string, refusal: Last): boolean {
    const key = this.#counts.has(who) || this.#counts.size < MOST_COUNTED ? who : OTHERS;
    const count = this.#counts.get(key) ?? { recorded: 0, left: 0, last: refusal };
    this.#counts.set(key, count);
    count.last = refusal;
    const isAdmitted = count.recorded < RECORDS_PER_MINUTE;
    if (isAdmitted) count.recorded++;
    else count.left++;
    return isAdmitted;
  }

  /** The end of a minute: what was only counted. */
  next(): Rest<Last>[] {
    const rests = [...this.#counts.values()].filter(({ left }) => left > 0);
    this.#counts.clear();
    return rests.map(({ left: count, last }) => ({ count, last }));
  }
}
