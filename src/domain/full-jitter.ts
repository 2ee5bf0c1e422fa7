/** How long to wait before something is tried again: exponential, with full jitter, so that those who failed together do not come back together. Pure. */

export interface BackoffRule {
  /** Longest wait after the first failure; doubled for each further one. */
  readonly first_ms: number;
  /** No wait is longer, whatever Retry-After asks for. */
  readonly longest_ms: number;
}

/**
 * @param failures so far, from 1
 * @param random in [0, 1)
 * @param retryAfterMs what the other side asked for: never come back before
 */
export function fullJitter(
  { first_ms, longest_ms }: BackoffRule,
  failures: number,
  random: number,
  retryAfterMs = 0,
): number {
  const step = Math.min(first_ms * 2 ** (failures - 1), longest_ms);
  return Math.min(Math.max(Math.round(step * random), retryAfterMs), longest_ms);
}
