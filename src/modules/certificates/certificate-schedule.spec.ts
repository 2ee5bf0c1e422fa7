import { describe, expect, it } from '@jest/globals';
import { backoffMs, renewalTime } from './certificate-schedule.js';

const MINUTE = 60_000;

describe('a certificate', () => {
  it('is renewed when a third of its life is left, or a little earlier', () => {
    const renewal = (luck: number) => renewalTime('2026-01-01T00:00:00Z', '2026-04-01T00:00:00Z', luck);
    expect(renewal(0)).toBe('2026-03-02T00:00:00.000Z');
    expect(renewal(1)).toBe('2026-02-27T00:00:00.000Z');
  });
});

describe('an order that failed', () => {
  it('waits twice as long each time, from a minute to a day', () => {
    const waits = [1, 2, 3, 11, 12, 500].map((failures) => backoffMs(failures, undefined, 0) / MINUTE);
    expect(waits).toEqual([1, 2, 4, 1024, 1440, 1440]);
  });

  it('waits as long as the authority asks for', () => {
    expect(backoffMs(1, 172_800, 0)).toBe(172_800_000);
    expect(backoffMs(12, 5, 0)).toBe(1440 * MINUTE);
  });
});
