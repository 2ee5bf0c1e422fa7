/** The bounds hold against exact distributions: what they call significant is as rare as they say. */
import { describe, expect, it } from '@jest/globals';
import { leastExcess, rankBounds } from './confidence.js';

/** The exact probability of so many rare events or more. */
function poissonTail(least: number, expected: number): number {
  let term = Math.exp(-expected);
  let below = 0;
  for (let count = 0; count < least; count += 1) {
    below += term;
    term *= expected / (count + 1);
  }
  return 1 - below;
}

/** The exact probability of at most so many of a sample below its quantile. */
function binomialHead(most: number, count: number, part: number): number {
  let sum = 0;
  let logTerm = count * Math.log(1 - part);
  for (let below = 0; below <= most; below += 1) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((count - below) / (below + 1)) + Math.log(part / (1 - part));
  }
  return sum;
}

const WHOLE = 1e6;
const NONE = { part: 0, whole: 1 };

describe('the least excess of a share', () => {
  it.each([1, 2, 3, 4, 5, 7, 10, 20, 50, 200])('is what %d events exceed once in a thousand times', (part) => {
    const least = leastExcess({ part, whole: WHOLE }, NONE, 0) * WHOLE;
    expect(least).toBeLessThan(part);
    expect(poissonTail(part, least)).toBeLessThan(0.0011);
    if (part >= 5) expect(poissonTail(part, least)).toBeGreaterThan(0.0007);
  });

  it('is none where nothing was seen', () => {
    expect(leastExcess({ part: 0, whole: 50 }, NONE, 0)).toBe(0);
  });

  it('is negative for equal shares', () => {
    expect(leastExcess({ part: 50, whole: 1_000 }, { part: 50, whole: 1_000 }, 1)).toBeLessThan(0);
  });

  it('grows with the number of observations, up to what was seen', () => {
    const seen = [50, 200, 1_000, 10_000, 1_000_000].map((whole) =>
      leastExcess({ part: whole / 10, whole }, { part: whole / 50, whole }, 1),
    );
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBeCloseTo(0.08, 2);
    expect(seen.at(-1)).toBeLessThan(0.08);
  });

  it('allows a few observations of the other at most the presumed share', () => {
    const every = { part: 50, whole: 50 };
    expect(leastExcess(every, { part: 0, whole: 1 }, 0.1)).toBeGreaterThan(0.5);
    expect(leastExcess(every, { part: 0, whole: 1 }, 10)).toBeLessThan(0);
  });
});

describe('the bounds of ranks', () => {
  it.each([
    [100, 0.5],
    [1_000, 0.95],
    [10_000, 0.99],
  ])('hold the quantile of %d requests at %d', (count, part) => {
    // Against a sample without end all of the luck lies in this one.
    const [{ low, high }] = rankBounds(part, [count, 1e12]);
    expect(low).toBeLessThan(count * part);
    expect(high).toBeGreaterThan(count * part);
    expect(binomialHead(low - 1, count, part)).toBeLessThan(0.002);
    expect(1 - binomialHead(high - 1, count, part)).toBeLessThan(0.002);
  });

  it('are narrower where both samples may be unlucky', () => {
    const [alone] = rankBounds(0.5, [1_000, 1e12]);
    const [beside] = rankBounds(0.5, [1_000, 1_000]);
    expect(beside.low).toBeGreaterThan(alone.low);
    expect(beside.high).toBeLessThan(alone.high);
  });
});
