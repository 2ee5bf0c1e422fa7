/** What FlukeBase's answer to a request means for what was sent: the table by which it is decided. Pure. */
import type { FlukeBaseReply } from './flukebase-ports.js';
import type { CallOutcome } from './flukebase-upstream.js';

/** What was asked of it, one for each of its routes. */
export type FlukeBaseRoute = 'log' | 'batch' | 'deployment' | 'new_task' | 'task';

export type FlukeBaseVerdict =
  | { readonly kind: 'done' }
  /** The same again later: what failed may pass. `is_asked`: it works and asked for that, which is nobody's fault. */
  | { readonly kind: 'again'; readonly error: string; readonly retry_after_ms?: number; readonly is_asked?: true }
  /** It is nothing that was sent: somebody must change something. No attempt is counted. */
  | { readonly kind: 'paused'; readonly error: string; readonly everything: boolean }
  /** Too much or something wrong in it: each half by itself. */
  | { readonly kind: 'split'; readonly error: string }
  /** It knows no batches: each entry by itself. */
  | { readonly kind: 'singles'; readonly error: string }
  /** It will never be taken. */
  | { readonly kind: 'dead'; readonly error: string };

/** Whether it is the answer of one that works, though not now. */
export function asksToWait(status: number): boolean {
  return status === 408 || status === 425 || status === 429;
}

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
          return {
            kind: 'again',
            error,
            ...(retry_after_ms !== undefined && { retry_after_ms }),
            ...(asksToWait(status) && { is_asked: true }),
          };
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
  return status >= 500 || asksToWait(status) ? 'again' : 'dead';
}

/** What an answer says of FlukeBase as a whole: whether it fails, rather than what was sent, and whether it takes anything. */
export function outcomeOf(reply: FlukeBaseReply, size = 1): CallOutcome {
  switch (reply.kind) {
    case 'accepted': {
      const left = reply.refused?.filter(({ status }) => verdictOnEntry(status) !== 'done') ?? [];
      return left.length < size ? 'taken' : 'passed';
    }
    case 'unanswered':
      return 'failed';
    case 'refused':
      return reply.status >= 500 || reply.status < 400 ? 'failed' : 'passed';
  }
}

function verdictByStatus(
  status: number,
  route: FlukeBaseRoute,
  size: number,
): 'done' | 'again' | 'pause' | 'pause_everything' | 'split' | 'singles' | 'dead' {
  // A redirect is not followed: the token is for this address.
  if (status < 400 || status >= 500 || asksToWait(status)) return 'again';
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
