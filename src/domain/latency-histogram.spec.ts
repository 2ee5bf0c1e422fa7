/** A histogram answers within 5 % of the exact quantile, and parts of a stream add up to the whole. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LatencyHistogram } from './latency-histogram.js';

const histogramOf = (values: readonly number[]): LatencyHistogram => {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.add(value);
  return histogram;
};
const QUANTILES = [0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1];
const durations = fc.array(fc.double({ min: 1, max: 86_400_000, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('a latency histogram', () => {
  it('is within 5 % of the exact quantile', () => {
    fc.assert(
      fc.property(durations, fc.constantFrom(...QUANTILES), (values, part) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.ceil(part * sorted.length) - 1]!;
        expect(Math.abs(histogramOf(values).quantile(part)! / exact - 1)).toBeLessThan(0.05);
      }),
    );
  });

  it('merges to what one histogram of all would be', () => {
    fc.assert(
      fc.property(durations, durations, (first, second) => {
        const merged = histogramOf(first);
        merged.merge(histogramOf(second));
        const whole = histogramOf([...first, ...second]);
        expect(merged.count).toBe(whole.count);
        for (const part of QUANTILES) expect(merged.quantile(part)).toBe(whole.quantile(part));
      }),
    );
  });

  it('knows nothing of no requests', () => {
    expect(new LatencyHistogram().quantile(0.5)).toBeUndefined();
    expect(new LatencyHistogram().atRank(1)).toBeUndefined();
  });

  it.each([
    [0, 1],
    [-5, 1],
    [0.3, 1],
    [1, 1],
  ])('counts %d ms as the shortest', (milliseconds, expected) => {
    expect(histogramOf([milliseconds]).quantile(0.5)).toBe(expected);
  });

  it.each([86_400_001, 1e300, Infinity])('counts %d ms as a day', (milliseconds) => {
    expect(histogramOf([milliseconds]).quantile(0.5)! / 86_400_000).toBeCloseTo(1, 1);
  });

  it('passes over what is no time', () => {
    expect(histogramOf([Number.NaN]).count).toBe(0);
  });

  it('takes a place outside for the nearest', () => {
    const histogram = histogramOf([1, 100]);
    expect(histogram.atRank(-3)).toBe(histogram.atRank(1));
    expect(histogram.atRank(99)).toBe(histogram.atRank(2));
  });
});
