import { describe, expect, it } from '@jest/globals';
import {
  afterFailure,
  batchOver,
  DELIVERY_RULE,
  FRESH_LANE,
  nextStep,
  recovered,
  settled,
  type LaneState,
  type Present,
} from './flukebase-lane.js';

const NOW = Date.parse('2026-02-03T10:00:00.000Z');
const lane = (fields: Partial<LaneState> = {}): LaneState => ({ ...FRESH_LANE, ...fields });
const present = (fields: Partial<Present> = {}): Present => ({
  digest: 'now',
  is_final: false,
  is_adopted: false,
  ...fields,
});

describe('the lane of the log', () => {
  it('begins with the summary, whatever waits', () => {
    expect(nextStep('log', lane(), 0, present())).toBe('summary');
    expect(nextStep('log', lane(), 9, present({ is_final: true }))).toBe('summary');
  });

  it('tells a change before the next entries', () => {
    expect(nextStep('log', lane({ version: 1, digest: 'former' }), 9, present())).toBe('summary');
  });

  it('tells the end after the last entry', () => {
    const state = lane({ version: 1, digest: 'former', done: 8 });
    expect(nextStep('log', state, 9, present({ is_final: true }))).toBe('logs');
    expect(nextStep('log', { ...state, done: 9 }, 9, present({ is_final: true }))).toBe('summary');
  });

  it('sends entries, then rests', () => {
    const state = lane({ version: 1, digest: 'now' });
    expect(nextStep('log', state, 9, present())).toBe('logs');
    expect(nextStep('log', { ...state, done: 9 }, 9, present())).toBe('rest');
  });
});

describe('the lane of the task', () => {
  it('creates it, changes it when something has changed, and rests else', () => {
    expect(nextStep('task', lane(), 1, present())).toBe('create_task');
    expect(nextStep('task', lane({ task_id: 't', digest: 'former' }), 1, present())).toBe('change_task');
    expect(nextStep('task', lane({ task_id: 't', digest: 'now' }), 1, present())).toBe('rest');
  });

  it('creates none where the order names one', () => {
    expect(nextStep('task', lane(), 1, present({ is_adopted: true }))).toBe('change_task');
  });

  it('tries nothing again that was given up, until something changes', () => {
    const given_up = settled(lane(), 'now');
    expect(nextStep('task', given_up, 1, present())).toBe('rest');
    expect(nextStep('task', given_up, 1, present({ digest: 'later' }))).toBe('create_task');
  });
});

it('the lane of a replay sends entries and nothing else', () => {
  expect(nextStep('replay', lane({ done: 3 }), 9, present())).toBe('logs');
  expect(nextStep('replay', lane({ done: 9 }), 9, present())).toBe('rest');
});

describe('after something was taken', () => {
  const failing = lane({
    done: 4,
    batch_end: 9,
    attempts: 3,
    strikes: 2,
    failing_since: 'a',
    failed_at: 'b',
    last_error: 'c',
  });

  it('failures are forgotten', () => {
    expect(recovered(failing)).toEqual(lane({ done: 4, batch_end: 9 }));
  });

  it('the next batch begins behind it', () => {
    expect(batchOver({ ...failing, missing: [7] }, 9)).toEqual(lane({ done: 9 }));
  });

  it('it is known since when the rest of a batch is left behind, whatever else is taken', () => {
    const left = lane({ done: 4, batch_end: 9, missing: [7], failing_since: 'a' });
    expect(recovered({ ...failing, missing: [7] })).toEqual(left);
    expect(settled({ ...failing, missing: [7] }, 'one')).toEqual({ ...left, version: 1, digest: 'one' });
  });

  it('a state that is told again later is another one', () => {
    const once = settled(lane(), 'one', 't');
    expect(once).toEqual(lane({ version: 1, digest: 'one', task_id: 't' }));
    expect(settled(settled(once, 'two'), 'one')).toMatchObject({ version: 3, digest: 'one', task_id: 't' });
  });
});

describe('after a failure', () => {
  const failure = { error: 'No.', now: NOW, random: 0.5, own_fault: false };
  const at = new Date(NOW).toISOString();

  it('the same batch is tried again, later each time', () => {
    const state = lane({ batch_end: 9, missing: [7, 8] });
    const first = afterFailure(state, failure);
    expect(first).toEqual({
      kind: 'again',
      wait_ms: 250,
      state: { ...state, attempts: 1, failing_since: at, failed_at: at, last_error: 'No.' },
    });
    expect(afterFailure(lane({ attempts: 5 }), failure)).toMatchObject({ wait_ms: 8_000 });
    expect(afterFailure(lane(), { ...failure, retry_after_ms: 9_000 })).toMatchObject({ wait_ms: 9_000 });
  });

  it('an outage of less than a day gives nothing up, however often it was tried', () => {
    const failing_since = new Date(NOW - DELIVERY_RULE.give_up_ms + 1).toISOString();
    expect(afterFailure(lane({ attempts: 5_000, failing_since }), failure)).toMatchObject({
      kind: 'again',
      state: { attempts: 5_001, strikes: 0, failing_since },
    });
  });

  it('after a day all that waits is given up', () => {
    const failing_since = new Date(NOW - DELIVERY_RULE.give_up_ms).toISOString();
    expect(afterFailure(lane({ failing_since }), failure)).toEqual({
      kind: 'give_up',
      error: 'No. It was tried for 24 hours.',
      everything: true,
    });
  });

  it('what fails while FlukeBase takes other things is given up alone', () => {
    const state = lane({ attempts: 11, strikes: 11 });
    expect(afterFailure(state, { ...failure, own_fault: true })).toEqual({
      kind: 'give_up',
      error: 'No. It was tried 12 times.',
      everything: false,
    });
    expect(afterFailure(state, failure)).toMatchObject({ kind: 'again' });
  });

  it('after a day what is left of a batch is given up, and nothing behind it', () => {
    const failing_since = new Date(NOW - DELIVERY_RULE.give_up_ms).toISOString();
    const state = lane({ batch_end: 100, missing: [5], failing_since });
    expect(afterFailure(state, failure)).toMatchObject({ kind: 'give_up', everything: false });
  });

  it('a batch that is cut smaller begins anew', () => {
    const state = lane({ batch_end: 100, attempts: 3, strikes: 3 });
    const outcome = afterFailure(state, { ...failure, own_fault: true });
    expect(outcome).toMatchObject({ kind: 'again', state: { strikes: 4 } });
    expect(outcome).not.toHaveProperty('state.batch_end');
  });

  it('a batch that was taken in part never begins anew', () => {
    const state = lane({ batch_end: 100, missing: [5], attempts: 3, strikes: 3 });
    expect(afterFailure(state, { ...failure, own_fault: true })).toMatchObject({
      kind: 'again',
      state: { strikes: 4, batch_end: 100, missing: [5] },
    });
  });
});
