import { describe, expect, it } from '@jest/globals';
import {
  BREAKER_RULE,
  breakerState,
  callAbandoned,
  callBegun,
  callEnded,
  FRESH_UPSTREAM,
  hasAcceptedSince,
  hold,
  isBack,
  sendSingles,
  takesBatches,
  waitBefore,
  type CallOutcome,
  type Upstream,
} from './flukebase-upstream.js';

const NOW = Date.parse('2026-02-03T10:00:00.000Z');

/** A call every `every` ms, from `at` on. */
function calls(outcomes: readonly CallOutcome[], { from = FRESH_UPSTREAM, at = NOW, every = 100 } = {}): Upstream {
  return outcomes.reduce(
    (upstream, outcome, index) => callEnded(callBegun(upstream), at + index * every, outcome),
    from,
  );
}
const times = (count: number, outcome: CallOutcome): CallOutcome[] => Array<CallOutcome>(count).fill(outcome);

/** Open since NOW + 900. */
const open = calls(times(10, 'failed'));
const OPENED = NOW + 900;

describe('the breaker', () => {
  it('stays closed while too few calls say anything', () => {
    expect(breakerState(calls(times(9, 'failed')), NOW + 900)).toBe('closed');
  });

  it('opens when half of ten calls have failed', () => {
    expect(breakerState(calls([...times(5, 'passed'), ...times(4, 'failed')]), OPENED)).toBe('closed');
    expect(breakerState(calls([...times(5, 'passed'), ...times(5, 'failed')]), OPENED)).toBe('open');
  });

  it('forgets what is longer ago than its window', () => {
    const former = calls(times(9, 'failed'));
    const later = calls(['failed'], { from: former, at: NOW + BREAKER_RULE.window_ms + 1_000 });
    expect(breakerState(later, NOW + BREAKER_RULE.window_ms + 1_000)).toBe('closed');
  });

  it('keeps no more than its window, however many calls there are', () => {
    const many = calls(times(20_000, 'passed'), { every: 50 });
    expect(many.recent.length).toBeLessThanOrEqual(BREAKER_RULE.window_ms / 1_000);
  });

  it('lets nothing through while it is open, and one probe after that', () => {
    expect(waitBefore(open, OPENED + 1_000)).toBe(4_000);
    const half = OPENED + BREAKER_RULE.first_open_ms;
    expect(breakerState(open, half)).toBe('half_open');
    expect(waitBefore(open, half)).toBe(0);
    expect(waitBefore(callBegun(open), half)).toBeGreaterThan(0);
  });

  it.each(['taken', 'passed'] as const)('closes when the probe has %s', (outcome) => {
    const half = OPENED + BREAKER_RULE.first_open_ms;
    const closed = callEnded(callBegun(open), half, outcome);
    expect(breakerState(closed, half)).toBe('closed');
    expect(waitBefore(closed, half)).toBe(0);
    // What failed before counts no more.
    expect(breakerState(callEnded(closed, half, 'failed'), half)).toBe('closed');
  });

  it('stays open for longer each time that the probe fails, up to a bound', () => {
    let upstream = open;
    let now = OPENED;
    const waits: number[] = [];
    for (let probe = 0; probe < 6; probe++) {
      now += waitBefore(upstream, now);
      upstream = callEnded(callBegun(upstream), now, 'failed');
      waits.push(waitBefore(upstream, now));
    }
    expect(waits).toEqual([10_000, 20_000, 40_000, 60_000, 60_000, 60_000]);
  });

  it('is probed again when a probe was broken off', () => {
    const half = OPENED + BREAKER_RULE.first_open_ms;
    expect(waitBefore(callAbandoned(callBegun(open)), half)).toBe(0);
  });

  it('is not opened twice by calls that had begun before', () => {
    const late = callEnded(open, OPENED + 100, 'failed');
    expect(late.open).toEqual(open.open);
  });
});

describe('a hold', () => {
  const held = hold(FRESH_UPSTREAM, NOW, 30_000, 'It asked for it.');

  it('lets nothing through until it is over', () => {
    expect(waitBefore(held, NOW + 10_000)).toBe(20_000);
    expect(waitBefore(held, NOW + 30_000)).toBe(0);
  });

  it('is not shortened by another one', () => {
    expect(waitBefore(hold(held, NOW, 1_000, 'Another.'), NOW)).toBe(30_000);
  });

  it('is not lifted by what was under way before', () => {
    expect(waitBefore(calls(['passed'], { from: held }), NOW)).toBe(30_000);
  });
});

it('batches are left alone for a while, and tried again', () => {
  const upstream = sendSingles(FRESH_UPSTREAM, NOW, 600_000);
  expect(takesBatches(FRESH_UPSTREAM, NOW)).toBe(true);
  expect(takesBatches(upstream, NOW + 599_999)).toBe(false);
  expect(takesBatches(upstream, NOW + 600_000)).toBe(true);
});

it('an outage is over with the first call that passes after five that have failed', () => {
  const [blip, outage] = [calls(times(4, 'failed')), calls(times(5, 'failed'))];
  expect(isBack(blip, calls(['passed'], { from: blip }))).toBe(false);
  expect(isBack(outage, calls(['failed'], { from: outage }))).toBe(false);
  expect(isBack(outage, calls(['passed'], { from: outage }))).toBe(true);
  const probed = callEnded(callBegun(open), OPENED + BREAKER_RULE.first_open_ms, 'passed');
  expect(isBack(open, probed)).toBe(true);
});

it('it is known since when FlukeBase has taken something', () => {
  const upstream = calls(['taken']);
  expect(hasAcceptedSince(upstream, NOW - 1)).toBe(true);
  expect(hasAcceptedSince(upstream, NOW)).toBe(false);
  expect(hasAcceptedSince(upstream, undefined)).toBe(false);
  for (const outcome of ['passed', 'failed'] as const) {
    expect(hasAcceptedSince(calls([outcome]), NOW - 1)).toBe(false);
    expect(hasAcceptedSince(calls([outcome], { from: upstream, at: NOW + 100 }), NOW + 99)).toBe(false);
  }
});
