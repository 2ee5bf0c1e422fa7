/** What becomes of a notification after an attempt: the table of retries, and the decision by it. */
import { fullJitter, type BackoffRule } from './full-jitter.js';
import type { TargetType, WebhookReply } from './notification-ports.js';

interface RetryRule extends BackoffRule {
  /** Attempts in all. */
  readonly max_attempts: number;
}

export const NOTIFICATION_RETRIES: RetryRule = { max_attempts: 12, first_ms: 5_000, longest_ms: 3_600_000 };

/** Answers after which trying again does not help: the address is gone or revoked, or the message is not understood. */
const FINAL_ANSWERS: Readonly<Record<TargetType, readonly number[]>> = {
  slack: [400, 401, 403, 404, 410],
  discord: [400, 401, 403, 404, 410],
  // Whose receivers come and go behind proxies: only 410 is meant to last (Standard Webhooks).
  webhook: [410],
};

export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'again'; readonly error: string; readonly wait_ms: number }
  | { readonly kind: 'dead'; readonly error: string };

/**
 * @param attempt counted from 1
 * @param random in [0, 1): the jitter, so that those who failed together do not come back together
 */
export function verdictOn(reply: WebhookReply, type: TargetType, attempt: number, random: number): Verdict {
  switch (reply.kind) {
    case 'refused':
      return { kind: 'dead', error: reply.reason };
    case 'unanswered':
      return again(reply.reason, attempt, random);
    case 'answered': {
      const { status, retry_after_ms } = reply;
      if (status >= 200 && status < 300) return { kind: 'delivered' };
      const error = `It answered with HTTP ${status}${status >= 300 && status < 400 ? '; redirects are not followed' : ''}.`;
      if (FINAL_ANSWERS[type].includes(status)) return { kind: 'dead', error };
      return again(error, attempt, random, retry_after_ms);
    }
  }
}

/** After a failure that may pass. */
export function again(error: string, attempt: number, random: number, retryAfterMs = 0): Verdict {
  const { max_attempts } = NOTIFICATION_RETRIES;
  if (attempt >= max_attempts) return { kind: 'dead', error: `${error} It was tried ${attempt} times.` };
  return { kind: 'again', error, wait_ms: fullJitter(NOTIFICATION_RETRIES, attempt, random, retryAfterMs) };
}
