import { describe, expect, it } from '@jest/globals';
import { deadRanges, type DeadEntry } from './dead-ranges.js';
import { batchLength, batchLimit, batchSent, nextBatch } from './flukebase-batch.js';
import { afterFailure, DELIVERY_RULE, FRESH_LANE, nextStep, settled, type LaneState } from './flukebase-lane.js';
import { asksToWait, verdictOnEntry } from './flukebase-verdict.js';

const NOW = Date.parse('2026-02-03T10:00:00.000Z');
const lane = (fields: Partial<LaneState> = {}): LaneState => ({ ...FRESH_LANE, ...fields });
const from = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);
const rows = (...sequences: number[]) => sequences.map((sequence) => ({ sequence }));
const small = (): number => 100;

describe('a batch', () => {
  it('ends at a hundred entries', () => {
    expect(batchLength(Array<number>(250).fill(10))).toBe(100);
    expect(batchLength(Array<number>(250).fill(10), 7)).toBe(7);
    expect(batchLength([])).toBe(0);
  });

  it('ends at 512 kB, and has one entry at least', () => {
    expect(batchLength(Array<number>(100).fill(100 * 1024))).toBe(5);
    expect(batchLength([2 * 1024 * 1024, 10])).toBe(1);
  });

  it('is halved when it fails again and again by its own fault, until one entry is alone', () => {
    const limits = Array.from({ length: 12 }, (_, strikes) => batchLimit(lane({ strikes })));
    expect(limits).toEqual([100, 100, 100, 100, 50, 25, 12, 6, 3, 1, 1, 1]);
  });

  it('is the same until something of it was taken, and then what is left of it', () => {
    const begun = lane({ done: 4, batch_end: 8 });
    expect(nextBatch(lane({ done: 4 }), rows(5, 6, 7, 8), small)).toEqual({ rows: rows(5, 6, 7, 8), end: 8 });
    expect(nextBatch(begun, rows(5, 6, 7, 8), small)).toEqual({ rows: rows(5, 6, 7, 8), end: 8 });
    expect(batchSent(begun, 8, [5, 6, 7, 8], [5, 6, 7, 8])).toEqual(begun);
    const part = batchSent(begun, 8, [5, 6, 7, 8], [6, 8]);
    expect(part).toEqual({ ...begun, missing: [6, 8] });
    expect(nextBatch(part, rows(5, 6, 7, 8), small)).toEqual({ rows: rows(6, 8), end: 8 });
    expect(batchSent(part, 8, [6, 8], [])).toEqual(lane({ done: 8 }));
  });

  it('of which a part is left is sent in ever smaller pieces, and its end is not forgotten', () => {
    const missing = from(31, 60);
    const state = lane({ batch_end: 100, missing, strikes: 6, attempts: 6 });
    expect(nextBatch(state, rows(...from(1, 100)), small)).toEqual({ rows: rows(...from(31, 42)), end: 100 });
    expect(batchSent(state, 100, from(31, 42), [])).toEqual(lane({ batch_end: 100, missing: from(43, 60) }));
  });

  it('of which the rest was deleted has no more to send', () => {
    expect(nextBatch(lane({ batch_end: 8, missing: [5] }), rows(6, 7, 8), small)).toBeUndefined();
    expect(nextBatch(lane(), [], small)).toBeUndefined();
  });
});

describe('a FlukeBase that takes other lanes, and of this one all but some entries', () => {
  /** What it answers to one entry, for ever, and how the lane comes to its end. */
  function told(head: number, statusOf: (sequence: number) => number) {
    const taken: number[] = [];
    const dead: DeadEntry[] = [];
    let [now, requests, is_over] = [NOW, 0, false];
    let state = lane({ version: 1, digest: 'begun' });
    while (!is_over) {
      const step = nextStep('log', state, head, { digest: 'ended', is_final: true, is_adopted: false });
      if (++requests > 400) throw new Error(`it comes to no end at ${JSON.stringify(state)}`);
      if (step !== 'logs') {
        is_over = step === 'rest';
        state = settled(state, 'ended');
        continue;
      }
      const stored = rows(...from(state.done + 1, state.batch_end ?? head)).slice(0, DELIVERY_RULE.batch_entries);
      const batch = nextBatch(state, stored, small)!;
      const sent = batch.rows.map(({ sequence }) => sequence);
      const of = (verdict: string) => sent.filter((sequence) => verdictOnEntry(statusOf(sequence)) === verdict);
      const left = of('again');
      taken.push(...of('done'));
      dead.push(...of('dead').map((sequence) => ({ sequence, error: 'Never.' })));
      const after = batchSent({ ...state, batch_end: batch.end }, batch.end, sent, left);
      if (left.length === 0) {
        state = after;
        continue;
      }
      const own_fault = after.failed_at !== undefined && !left.every((sequence) => asksToWait(statusOf(sequence)));
      const outcome = afterFailure(after, { error: 'Not now.', now, random: 0.99, own_fault });
      if (outcome.kind === 'again') {
        ({ state } = outcome);
        now += outcome.wait_ms;
      } else {
        expect(outcome.everything).toBe(false);
        dead.push(...left.map((sequence) => ({ sequence, error: outcome.error })));
        state = batchSent(after, batch.end, left, []);
      }
    }
    return { taken, dead: deadRanges(dead), requests, state, took_ms: now - NOW };
  }

  it('has all others once and in order, and the one as the only dead letter', () => {
    const { taken, dead, requests, state, took_ms } = told(250, (sequence) => (sequence === 30 ? 503 : 201));
    expect(taken).toEqual(from(1, 250).filter((sequence) => sequence !== 30));
    expect(dead).toEqual([
      { kind: 'log', first_sequence: 30, last_sequence: 30, error: expect.stringContaining('13 times') },
    ]);
    expect(requests).toBeLessThan(20);
    expect(state).toMatchObject({ done: 250, digest: 'ended', strikes: 0 });
    expect(took_ms).toBeLessThan(DELIVERY_RULE.give_up_ms);
  });

  it('has none twice and none given up twice, where several are refused, now or for ever', () => {
    const odd: Record<number, number> = { 30: 503, 31: 503, 40: 422, 41: 422, 70: 500, 100: 503 };
    const { taken, dead, requests } = told(100, (sequence) => odd[sequence] ?? 201);
    expect(taken).toEqual(from(1, 100).filter((sequence) => odd[sequence] === undefined));
    expect(dead.map((letter) => [letter.first_sequence, letter.last_sequence])).toEqual([
      [40, 41],
      [30, 31],
      [70, 70],
      [100, 100],
    ]);
    expect(requests).toBeLessThan(70);
  });

  it('is asked for a day about one that is to come later, and then told the rest', () => {
    const { taken, dead, took_ms } = told(150, (sequence) => (sequence === 30 ? 429 : 201));
    expect(taken).toEqual(from(1, 150).filter((sequence) => sequence !== 30));
    expect(dead).toMatchObject([{ first_sequence: 30, last_sequence: 30 }]);
    expect(took_ms).toBeGreaterThanOrEqual(DELIVERY_RULE.give_up_ms);
  });
});
