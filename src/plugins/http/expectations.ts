/** What an answer over HTTP shall be, and what of it a given answer is not. Pure. */
import { z, type FetchResult, type Json } from '../../plugin/index.js';
import { isPattern, matches } from './bounded-match.js';
import { difference } from './json-difference.js';

const status = z.union([
  z.int().min(100).max(599),
  z.string().regex(/^[1-5]xx$/, 'A class of statuses is written like 2xx.'),
]);

const pattern = z.string().min(1).max(1_000).refine(isPattern, 'This is not a regular expression.');

const headerName = z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'This is not the name of a header.');

/** Up to fifty headers, by name. */
export const headersOf = (value: z.ZodString) =>
  z.record(headerName, value).refine((headers) => Object.keys(headers).length <= 50, 'At most 50 headers.');

const headerValue = z
  .string()
  .max(1_000)
  .refine((value) => isPattern(patternIn(value) ?? ''), 'Between the slashes there is no regular expression.');

export const expectations = z
  .strictObject({
    status: z
      .union([status, z.array(status).min(1).max(20)])
      .default('2xx')
      .describe('A status, a class of them such as `2xx`, or a list of both.'),
    headers: headersOf(headerValue)
      .optional()
      .describe('By name, the exact value, or a regular expression between slashes: `/^text\\/html/`.'),
    body_contains: z.string().min(1).max(1_000).optional().describe('Text that the body holds.'),
    body_matches: pattern.optional().describe('Regular expression that is found in the first 64 kB of the body.'),
    json: z
      .json()
      .optional()
      .describe('What the body, read as JSON, holds: its objects may have more members, its arrays no more elements.'),
    latency_ms: z.int().min(1).max(60_000).optional().describe('Milliseconds within which the whole answer is there.'),
  })
  .describe('What the answer shall be.');

export type Expectations = z.infer<typeof expectations>;

/** How the answer differs from what is expected, one sentence each; none when it meets everything. */
export function differences(expected: Expectations, answer: FetchResult): string[] {
  return [
    statusDifference(expected.status, answer.status),
    ...Object.entries(expected.headers ?? {}).map(([name, value]) =>
      headerDifference(name, value, answer.headers[name.toLowerCase()]),
    ),
    containsDifference(expected.body_contains, answer.body),
    matchDifference(expected.body_matches, answer.body),
    expected.json === undefined ? undefined : jsonDifference(expected.json, answer.body),
    latencyDifference(expected.latency_ms, answer.durationMs),
  ].filter((difference) => difference !== undefined);
}

function statusDifference(expected: Expectations['status'], actual: number): string | undefined {
  const allowed = [expected].flat();
  const met = allowed.some((one) => one === actual || one === `${Math.trunc(actual / 100)}xx`);
  return met ? undefined : `the status is ${actual}, expected ${allowed.join(' or ')}`;
}

function headerDifference(name: string, expected: string, actual: string | undefined): string | undefined {
  if (actual === undefined) return `the header ${name} is missing, expected ${expected}`;
  const inside = patternIn(expected);
  const met = inside === undefined ? actual === expected : matches(inside, actual);
  return met === true ? undefined : `the header ${name} is ${beginning(actual)}, expected ${expected}`;
}

function containsDifference(expected: string | undefined, body: string): string | undefined {
  return expected === undefined || body.includes(expected)
    ? undefined
    : `the body does not contain ${quoted(expected)}`;
}

function matchDifference(expected: string | undefined, body: string): string | undefined {
  switch (expected === undefined || matches(expected, body)) {
    case true:
      return undefined;
    case false:
      return `the body does not match /${expected}/`;
    case undefined:
      return `whether the body matches /${expected}/ cannot be told in time`;
  }
}

function jsonDifference(expected: Json, body: string): string | undefined {
  try {
    return difference(expected, JSON.parse(body));
  } catch {
    return 'the body is not JSON';
  }
}

function latencyDifference(expected: number | undefined, actual: number): string | undefined {
  return expected === undefined || actual <= expected
    ? undefined
    : `it took ${actual} ms, expected at most ${expected}`;
}

/** The regular expression in a text that begins and ends with a slash. */
function patternIn(text: string): string | undefined {
  return /^\/(.+)\/$/s.exec(text)?.[1];
}

/** The beginning of what an app has sent, in one line. */
export function beginning(text: string): string {
  return quoted(text.replace(/[\p{Cc}\s]+/gu, ' ').slice(0, 200));
}

const quoted = (text: string): string => JSON.stringify(text);
