import { describe, expect, it } from '@jest/globals';
import { fullJitter } from './full-jitter.js';

const RULE = { first_ms: 500, longest_ms: 300_000 };

describe('full jitter', () => {
  it.each([
    [1, 500],
    [2, 1_000],
    [5, 8_000],
    [11, 300_000],
    [2_000, 300_000],
  ])('after %i failures is anything up to %i ms', (failures, most) => {
    expect(fullJitter(RULE, failures, 0)).toBe(0);
    expect(fullJitter(RULE, failures, 0.5)).toBe(most / 2);
    expect(fullJitter(RULE, failures, 0.999_999_999)).toBe(most);
  });

  it('never comes back before the other side wants, within reason', () => {
    expect(fullJitter(RULE, 1, 0, 7_000)).toBe(7_000);
    expect(fullJitter(RULE, 11, 0.5, 7_000)).toBe(150_000);
    expect(fullJitter(RULE, 1, 0, 86_400_000)).toBe(300_000);
  });
});
