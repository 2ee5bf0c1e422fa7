/** How long requests took, in a fixed number of log-scaled buckets: small, mergeable, and right to 5 %. */

/** Each bucket ends this many times later than the one before, so that its middle is at most 4.8 % off (DDSketch, VLDB 2019). */
const GROWTH = 1.1;
/** The edge measures whole milliseconds: shorter is not told apart. */
const SHORTEST_MS = 1;
const LONGEST_MS = 86_400_000;
const BUCKETS = bucketOf(LONGEST_MS) + 1;

export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(milliseconds: number): void {
    if (Number.isNaN(milliseconds)) return;
    const bucket = bucketOf(Math.min(Math.max(milliseconds, SHORTEST_MS), LONGEST_MS));
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count += 1;
  }

  /** Takes in what another one has seen. */
  merge(other: LatencyHistogram): void {
    for (const [bucket, count] of other.#counts.entries()) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#count += other.#count;
  }

  /** Milliseconds that this part of the requests, such as 0.95, stayed within; undefined when there were none. */
  quantile(part: number): number | undefined {
    return this.atRank(Math.ceil(part * this.#count));
  }

  /** Milliseconds of the request at this place, counted from the fastest, which is 1; a place outside means the nearest. */
  atRank(rank: number): number | undefined {
    if (this.#count === 0) return undefined;
    let left = Math.min(Math.max(rank, 1), this.#count);
    const bucket = this.#counts.findIndex((count) => (left -= count) <= 0);
    return middleOf(bucket);
  }
}

function bucketOf(milliseconds: number): number {
  return Math.ceil(Math.log(milliseconds / SHORTEST_MS) / Math.log(GROWTH));
}

/** As far, in proportion, from one end of the bucket as from the other. */
function middleOf(bucket: number): number {
  return bucket === 0 ? SHORTEST_MS : (SHORTEST_MS * GROWTH ** bucket * 2) / (GROWTH + 1);
}
