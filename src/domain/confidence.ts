/** What counts and ranks really tell of what lies behind them: bounds that chance passes once in a thousand times. */

/**
 * One-sided level 0.001, in standard deviations. Strict, because a canary is looked at again and again while its numbers grow: each look
 * is another chance to be unlucky.
 */
const STRICTNESS = 3.09;

export interface Share {
  readonly part: number;
  readonly whole: number;
}

/**
 * By how much the first share exceeds the second at the least; negative when it may well be the smaller one.
 *
 * The bounds of each are Byar's approximation for rare events (Breslow and Day, Statistical Methods in Cancer Research II, 1987, p. 69):
 * unlike Wilson's they hold for a handful of events. They are joined as Newcombe does (Statistics in Medicine 17, 1998, method 10).
 *
 * `presumed`: by how much the second share may at most be larger than it looks; a few observations alone would allow anything.
 */
export function leastExcess(first: Share, second: Share, presumed: number): number {
  const [one, two] = [first.part / first.whole, second.part / second.whole];
  const below = one - fewest(first.part) / first.whole;
  const above = Math.min(most(second.part) / second.whole - two, presumed);
  return one - two - Math.hypot(below, above);
}

/** How few events are to be expected where this many were seen. */
function fewest(seen: number): number {
  if (seen === 0) return 0;
  return seen * Math.max(0, 1 - 1 / (9 * seen) - STRICTNESS / (3 * Math.sqrt(seen))) ** 3;
}

function most(seen: number): number {
  const next = seen + 1;
  return next * (1 - 1 / (9 * next) + STRICTNESS / (3 * Math.sqrt(next))) ** 3;
}

export interface RankBounds {
  readonly low: number;
  readonly high: number;
}

/**
 * Between which places, counted from 1, the quantile of two samples lies; places outside the sample mean its end. Where the one's low is
 * beyond the other's high, the difference is significant.
 *
 * The ranks are the binomial ones (Conover, Practical Nonparametric Statistics, §3.2). Both bounds being wrong at once is rarer than
 * either, so they may be narrower (Goldstein and Healy, JRSS A 158, 1995).
 */
export function rankBounds(part: number, counts: readonly [number, number]): readonly [RankBounds, RankBounds] {
  const [one, two] = counts.map((count) => 1 / Math.sqrt(count)) as [number, number];
  const strictness = (STRICTNESS * Math.hypot(one, two)) / (one + two);
  const bounds = (count: number): RankBounds => {
    const spread = strictness * Math.sqrt(count * part * (1 - part));
    return { low: Math.floor(count * part - spread), high: Math.ceil(count * part + spread) + 1 };
  };
  return [bounds(counts[0]), bounds(counts[1])];
}
