/** When a certificate is renewed, and when an order that failed is tried again. */
const FIRST_WAIT_MS = 60_000;
const LONGEST_WAIT_MS = 86_400_000;
const REMAINING_SHARE = 1 / 3;
/** So that certificates that were made together are not all renewed together. */
const JITTER = 0.1;

/** When a third of its life is left, or a little earlier. `luck` is from 0 to 1. */
export function renewalTime(issuedAt: string, expiresAt: string, luck: number): string {
  const end = Date.parse(expiresAt);
  const left = (end - Date.parse(issuedAt)) * REMAINING_SHARE * (1 + JITTER * luck);
  return new Date(end - left).toISOString();
}

/** Doubles from a minute to a day, and is never shorter than the authority asks for. */
export function backoffMs(failures: number, retryAfterSeconds: number | undefined, luck: number): number {
  const doubled = Math.min(FIRST_WAIT_MS * 2 ** Math.max(failures - 1, 0), LONGEST_WAIT_MS);
  return Math.max(doubled, (retryAfterSeconds ?? 0) * 1000) * (1 + JITTER * luck);
}
