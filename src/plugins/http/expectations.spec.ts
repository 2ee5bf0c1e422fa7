import { describe, expect, it } from '@jest/globals';
import type { FetchResult } from '../../plugin/index.js';
import { differences, expectations } from './expectations.js';

const answer: FetchResult = {
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8', location: '/login' },
  body: '{"status":"up","checks":[{"name":"db","ok":true,"rows":3}],"version":null}',
  durationMs: 20,
};
const judged = (expected: unknown, fields: Partial<FetchResult> = {}) =>
  differences(expectations.parse(expected), { ...answer, ...fields });

describe('status', () => {
  it.each([
    [undefined, 204],
    [200, 200],
    ['2xx', 299],
    ['5xx', 503],
    [[200, 404], 404],
    [[200, '3xx'], 302],
  ])('%j is met by %i', (status, actual) => {
    expect(judged({ ...(status !== undefined && { status }) }, { status: actual })).toEqual([]);
  });

  it.each([
    [undefined, 302, '2xx'],
    [200, 201, '200'],
    ['2xx', 300, '2xx'],
    [[200, '3xx'], 404, '200 or 3xx'],
  ])('%j is not met by %i', (status, actual, expected) => {
    expect(judged({ ...(status !== undefined && { status }) }, { status: actual })).toEqual([
      `the status is ${actual}, expected ${expected}`,
    ]);
  });
});

it.each([
  [{ headers: { Location: '/login' } }],
  [{ headers: { 'content-type': '/^application\\/json\\b/' } }],
  [{ body_contains: '"status":"up"' }],
  [{ body_matches: '"rows":\\d+' }],
  [{ json: { status: 'up' } }],
  [{ json: { checks: [{ ok: true }], version: null } }],
  [{ json: {} }],
  [{ latency_ms: 20 }],
])('%j is met', (expected) => {
  expect(judged(expected)).toEqual([]);
});

it.each([
  [{ headers: { location: '/log' } }, 'the header location is "/login", expected /log'],
  [
    { headers: { 'content-type': '/^text\\//' } },
    expect.stringMatching(/^the header content-type is "application\/json.*", expected \/\^text/),
  ],
  [{ headers: { 'x-none': 'a' } }, 'the header x-none is missing, expected a'],
  [{ body_contains: 'down' }, 'the body does not contain "down"'],
  [{ body_matches: '"rows":\\d{2}' }, 'the body does not match /"rows":\\d{2}/'],
  [{ json: { status: 'down' } }, 'json.status is "up", expected "down"'],
  [{ json: { checks: [{ ok: 'true' }] } }, 'json.checks[0].ok is true, expected "true"'],
  [{ json: { checks: [] } }, 'json.checks has 1 elements, expected 0'],
  [{ json: { more: 1 } }, 'json.more is missing, expected 1'],
  [{ json: { toString: 1 } }, 'json.toString is missing, expected 1'],
  [{ json: [] }, expect.stringMatching(/^json is \{.*expected \[\]$/)],
  [{ json: null }, expect.stringMatching(/expected null$/)],
  [{ latency_ms: 19 }, 'it took 20 ms, expected at most 19'],
])('%j is not met, and says why', (expected, difference) => {
  expect(judged(expected)).toEqual([difference]);
});

it('tells every difference', () => {
  expect(judged({ status: 201, body_contains: 'a', json: { a: 1 } }, { body: 'no' })).toEqual([
    'the status is 200, expected 201',
    'the body does not contain "a"',
    'the body is not JSON',
  ]);
});

it('gives up an expression that would try for years', () => {
  const body = `${'a'.repeat(60)}!`;
  expect(judged({ body_matches: '(a+)+$' }, { body })).toEqual([expect.stringContaining('cannot be told in time')]);
  expect(judged({ headers: { location: '/(a+)+$/' } }, { headers: { location: body } })).toHaveLength(1);
});

it('looks for an expression in the first 64 kB only', () => {
  const late = `${' '.repeat(64 * 1024)}end`;
  expect(judged({ body_matches: 'end' }, { body: late })).toHaveLength(1);
  expect(judged({ body_matches: 'end' }, { body: late.slice(3) })).toEqual([]);
});

it.each([
  [{ status: 99 }],
  [{ status: '6xx' }],
  [{ status: [] }],
  [{ headers: { 'x y': 'a' } }],
  [{ headers: { a: '/(/' } }],
  [{ headers: Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`x-${index}`, ''])) }],
  [{ body_matches: '(' }],
  [{ body_contains: '' }],
  [{ latency_ms: 0 }],
  [{ code: 200 }],
])('%j is no expectation', (expected) => {
  expect(expectations.safeParse(expected).success).toBe(false);
});
