import { describe, expect, it } from '@jest/globals';
import type { FlukeBaseReply } from './flukebase-ports.js';
import { outcomeOf, verdictOn, verdictOnEntry, type FlukeBaseRoute } from './flukebase-verdict.js';

const ROUTES: readonly FlukeBaseRoute[] = ['log', 'batch', 'deployment', 'new_task', 'task'];
const refused = (status: number): FlukeBaseReply => ({ kind: 'refused', status, reason: 'no' });
const on = (status: number, route: FlukeBaseRoute, size = 1) => verdictOn(refused(status), route, size).kind;

describe('the verdict on an answer', () => {
  it.each(ROUTES)('accepts what was accepted on %s', (route) => {
    expect(verdictOn({ kind: 'accepted', status: 200 }, route)).toEqual({ kind: 'done' });
  });

  it.each([301, 302, 307, 408, 425, 429, 500, 501, 502, 503, 504, 599])(
    'HTTP %i may pass, on every route',
    (status) => {
      for (const route of ROUTES) expect(on(status, route, 3)).toBe('again');
    },
  );

  it('no answer may pass, on every route', () => {
    for (const route of ROUTES) {
      expect(verdictOn({ kind: 'unanswered', reason: 'ECONNRESET' }, route)).toEqual({
        kind: 'again',
        error: 'ECONNRESET',
      });
    }
  });

  it('is nobody’s fault where FlukeBase works and asks to come later', () => {
    for (const route of ROUTES) {
      for (const status of [408, 425, 429])
        expect(verdictOn(refused(status), route)).toMatchObject({ kind: 'again', is_asked: true });
      for (const status of [302, 500, 503]) expect(verdictOn(refused(status), route)).not.toHaveProperty('is_asked');
    }
  });

  it('keeps what Retry-After asks for', () => {
    expect(verdictOn({ kind: 'refused', status: 429, retry_after_ms: 7_000 }, 'batch', 5)).toEqual({
      kind: 'again',
      error: 'FlukeBase answered with HTTP 429.',
      retry_after_ms: 7_000,
      is_asked: true,
    });
  });

  it('a refused token pauses everything, a forbidden thing itself', () => {
    for (const route of ROUTES) {
      expect(verdictOn(refused(401), route)).toMatchObject({ kind: 'paused', everything: true });
      expect(verdictOn(refused(403), route)).toMatchObject({ kind: 'paused', everything: false });
    }
  });

  it.each([404, 405])('HTTP %i of the batch route means singles, and an address that is wrong elsewhere', (status) => {
    expect(on(status, 'batch', 3)).toBe('singles');
    for (const route of ['log', 'deployment', 'new_task'] as const) expect(on(status, route)).toBe('paused');
  });

  it('a task that is gone is given up', () => {
    expect(on(404, 'task')).toBe('dead');
    expect(on(405, 'task')).toBe('paused');
  });

  it('what is there already is done, but a conflict about a task is tried again', () => {
    for (const route of ['log', 'deployment', 'new_task'] as const) expect(on(409, route)).toBe('done');
    expect(on(409, 'batch', 3)).toBe('split');
    expect(on(409, 'batch', 1)).toBe('done');
    expect(on(409, 'task')).toBe('again');
  });

  it.each([400, 406, 410, 413, 415, 422, 451])('HTTP %i takes a batch apart until what is wrong is alone', (status) => {
    expect(on(status, 'batch', 2)).toBe('split');
    for (const route of ROUTES) {
      expect(verdictOn(refused(status), route, 1)).toEqual({
        kind: 'dead',
        error: `FlukeBase answered with HTTP ${status}: no.`,
      });
    }
  });
});

it.each([
  [201, 'done'],
  [409, 'done'],
  [429, 'again'],
  [503, 'again'],
  [422, 'dead'],
  [404, 'dead'],
] as const)('an entry of a batch that has HTTP %i is %s', (status, verdict) => {
  expect(verdictOnEntry(status)).toBe(verdict);
});

it('FlukeBase fails with no answer, a redirect or an error of its own, and with no refusal', () => {
  expect(outcomeOf({ kind: 'unanswered', reason: 'ECONNRESET' })).toBe('failed');
  for (const status of [302, 500, 503]) expect(outcomeOf(refused(status))).toBe('failed');
  for (const status of [401, 404, 408, 422, 425, 429]) expect(outcomeOf(refused(status))).toBe('passed');
});

it('FlukeBase has taken something where it has accepted a part at least', () => {
  const accepted = (...statuses: number[]): FlukeBaseReply => ({
    kind: 'accepted',
    status: 207,
    refused: statuses.map((status, index) => ({ id: `log-${index}`, status })),
  });
  expect(outcomeOf({ kind: 'accepted', status: 200 }, 3)).toBe('taken');
  expect(outcomeOf(accepted(503, 429), 3)).toBe('taken');
  expect(outcomeOf(accepted(503, 429, 409), 3)).toBe('taken');
  expect(outcomeOf(accepted(503, 429, 422), 3)).toBe('passed');
});
