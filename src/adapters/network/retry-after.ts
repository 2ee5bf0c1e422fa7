/** The header Retry-After in both of its forms, seconds or a date (RFC 9110 §10.2.3). Pure. */

/** @param now milliseconds since the epoch, for a date */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  const wait = /^\s*\d+(?:\.\d+)?\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(wait) ? Math.max(0, Math.round(wait)) : undefined;
}
