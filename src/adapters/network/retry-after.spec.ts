import { expect, it } from '@jest/globals';
import { retryAfterMs } from './retry-after.js';

const NOW = Date.parse('2026-02-03T10:00:00.000Z');

it.each([
  ['7', 7_000],
  [' 0.5 ', 500],
  ['Tue, 03 Feb 2026 10:00:30 GMT', 30_000],
  ['Tue, 03 Feb 2026 09:00:00 GMT', 0],
  ['soon', undefined],
  [undefined, undefined],
])('%s', (header, wait) => {
  expect(retryAfterMs(header, NOW)).toBe(wait);
});
