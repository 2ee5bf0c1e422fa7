import { describe, expect, it } from '@jest/globals';
import { NOTIFICATION_RETRIES, verdictOn } from './notification-retries.js';
import { TARGET_TYPES, type WebhookReply } from './notification-ports.js';

const answered = (status: number, retry_after_ms?: number): WebhookReply => ({
  kind: 'answered',
  status,
  ...(retry_after_ms !== undefined && { retry_after_ms }),
});

describe('the verdict on an attempt', () => {
  it.each([200, 201, 204, 299])('HTTP %i is delivered', (status) => {
    for (const type of TARGET_TYPES) expect(verdictOn(answered(status), type, 12, 0)).toEqual({ kind: 'delivered' });
  });

  it.each([400, 401, 403, 404, 410])('HTTP %i of Slack or Discord is final', (status) => {
    const dead = { kind: 'dead', error: `It answered with HTTP ${status}.` };
    expect(verdictOn(answered(status), 'slack', 1, 0)).toEqual(dead);
    expect(verdictOn(answered(status), 'discord', 1, 0)).toEqual(dead);
  });

  it('only HTTP 410 of a webhook is final', () => {
    expect(verdictOn(answered(410), 'webhook', 1, 0).kind).toBe('dead');
    for (const status of [400, 401, 404, 500, 503])
      expect(verdictOn(answered(status), 'webhook', 1, 0).kind).toBe('again');
  });

  it('a redirect is not followed', () => {
    expect(verdictOn(answered(302), 'webhook', 1, 0)).toEqual({
      kind: 'again',
      error: 'It answered with HTTP 302; redirects are not followed.',
      wait_ms: 0,
    });
  });

  it('what is refused is dead at once, in its own words', () => {
    expect(verdictOn({ kind: 'refused', reason: 'No.' }, 'webhook', 1, 0)).toEqual({ kind: 'dead', error: 'No.' });
  });

  it('the waits double up to an hour, each with full jitter', () => {
    const waits = (random: number): unknown[] =>
      Array.from({ length: 11 }, (_, index) => verdictOn(answered(500), 'slack', index + 1, random)).map((verdict) =>
        verdict.kind === 'again' ? verdict.wait_ms / 1000 : verdict.kind,
      );
    expect(waits(1)).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]);
    expect(waits(0.5)).toEqual([2.5, 5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800]);
    expect(waits(0)).toEqual(Array.from({ length: 11 }, () => 0));
  });

  it('Retry-After is the least wait, and at most an hour', () => {
    expect(verdictOn(answered(429, 60_000), 'slack', 1, 1)).toMatchObject({ kind: 'again', wait_ms: 60_000 });
    expect(verdictOn(answered(429, 1_000), 'slack', 1, 1)).toMatchObject({ wait_ms: 5_000 });
    expect(verdictOn(answered(503, 86_400_000), 'slack', 1, 1)).toMatchObject({ wait_ms: 3_600_000 });
  });

  it('the last attempt is the end', () => {
    const reply: WebhookReply = { kind: 'unanswered', reason: 'There was no answer within 10 seconds.' };
    expect(verdictOn(reply, 'webhook', NOTIFICATION_RETRIES.max_attempts, 0)).toEqual({
      kind: 'dead',
      error: 'There was no answer within 10 seconds. It was tried 12 times.',
    });
  });
});
