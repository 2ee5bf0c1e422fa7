/** What FlukeBase's answer to a request means for what was sent: the table by which it is decided. Pure. */
import type { FlukeBaseReply } from './flukebase-ports.js';

/** What was asked of it, one for each of its routes. */
export type FlukeBaseRoute = 'log' | 'batch' | 'deployment' | 'new_task' | 'task';

export type FlukeBaseVerdict =
  | { readonly kind: 'done' }
  /** The same again later: what failed may pass. */
  | { readonly kind: 'again'; readonly error: string; readonly retry_after_ms?: number }
  /** It is nothing that was sent: somebody must change something. No attempt is counted. */
  | { readonly kind: 'paused'; readonly error: string; readonly everything: boolean }
  /** Too much or something wrong in it: each half by itself. */
  | { readonly kind: 'split'; readonly error: string }
  /** It knows no batches: each entry by itself. */
  | { readonly kind: 'singles'; readonly error: string }
  /** It will never be taken. */
  | { readonly kind: 'dead'; readonly error: string };

/** Answers of one that works, though not now. */
const PASSING = [408, 425, 429];

/** @param size how many entries were sent; 1 for what is no entry */
export function verdictOn(reply: FlukeBaseReply, route: FlukeBaseRoute, size = 1): FlukeBaseVerdict {
  switch (reply.kind) {
    case 'accepted':
      return { kind: 'done' };
    case 'unanswered':
      return { kind: 'again', error: reply.reason };
    case 'refused': {
      const { status, reason, retry_after_ms } = reply;
      const error = `FlukeBase answered with HTTP ${status}${reason === undefined ? '' : `: ${reason}`}.`;
      const verdict = verdictByStatus(status, route, size);
      switch (verdict) {
        case 'done':
          return { kind: 'done' };
        case 'again':
          return { kind: 'again', error, ...(retry_after_ms !== undefined && { retry_after_ms }) };
        case 'pause_everything':
        case 'pause':
          return { kind: 'paused', error, everything: verdict === 'pause_everything' };
        case 'split':
        case 'singles':
        case 'dead':
          return { kind: verdict, error };
      }
    }
  }
}

/** Of one entry of a batch that was taken in part. */
export function verdictOnEntry(status: number): 'done' | 'again' | 'dead' {
  if (status < 300 || status === 409) return 'done';
  return status >= 500 || PASSING.includes(status) ? 'again' : 'dead';
}

/** Whether it is FlukeBase that fails, rather than what was sent. */
export function isOutage(reply: FlukeBaseReply): boolean {
  return reply.kind === 'unanswered' || (reply.kind === 'refused' && (reply.status >= 500 || reply.status < 400));
}

function verdictByStatus(
  status: number,
  route: FlukeBaseRoute,
  size: number,
): 'done' | 'again' | 'pause' | 'pause_everything' | 'split' | 'singles' | 'dead' {
  // A redirect is not followed: the token is for this address.
  if (status < 400 || status >= 500 || PASSING.includes(status)) return 'again';
  switch (status) {
    case 401:
      return 'pause_everything';
    case 403:
      return 'pause';
    case 404:
    case 405:
      if (route === 'batch') return 'singles';
      // The task is gone; everywhere else the address is wrong.
      return route === 'task' && status === 404 ? 'dead' : 'pause';
    case 409:
      // It has what was sent. A task that somebody else changes at the same time is another matter.
      if (route === 'task') return 'again';
      return size > 1 ? 'split' : 'done';
    default:
      return size > 1 ? 'split' : 'dead';
  }
}
