import { beforeEach, describe, expect, it } from '@jest/globals';
import { LoginBackoff } from './login-backoff.js';

const ATTACKER = '203.0.113.7';
const right = (): Promise<boolean> => Promise.resolve(true);
const wrong = (): Promise<boolean> => Promise.resolve(false);
const refused = (retryAfterSeconds: number) =>
  expect.objectContaining({ code: 'too_many_requests', retryAfterSeconds });

let backoff: LoginBackoff;
beforeEach(() => {
  backoff = new LoginBackoff();
});

async function fail(address: string, ...times: number[]): Promise<void> {
  for (const now of times) expect(await backoff.attempt(address, now, wrong)).toBe(false);
}

describe('login back-off', () => {
  it('refuses the sixth attempt within 30 s, even with the right password, and says how long to wait', async () => {
    await fail(ATTACKER, 0, 1_000, 2_000, 3_000, 4_000);
    await expect(backoff.attempt(ATTACKER, 10_000, right)).rejects.toEqual(refused(20));
    await expect(backoff.attempt(ATTACKER, 29_999, right)).rejects.toEqual(refused(1));
  });

  it('lets in again when the oldest failure is 30 s old', async () => {
    await fail(ATTACKER, 0, 1_000, 2_000, 3_000, 4_000, 30_000);
    await expect(backoff.attempt(ATTACKER, 30_500, right)).rejects.toEqual(refused(1));
    expect(await backoff.attempt(ATTACKER, 31_000, right)).toBe(true);
  });

  it('does not count right passwords, nor lets them excuse wrong ones', async () => {
    await fail(ATTACKER, 0, 0, 0, 0);
    for (let login = 0; login < 10; login += 1) expect(await backoff.attempt(ATTACKER, 1, right)).toBe(true);
    await fail(ATTACKER, 1);
    await expect(backoff.attempt(ATTACKER, 1, right)).rejects.toEqual(refused(30));
  });

  it('never locks out another address', async () => {
    await fail(ATTACKER, 0, 0, 0, 0, 0);
    expect(await backoff.attempt('203.0.113.8', 0, right)).toBe(true);
    expect(await backoff.attempt('2001:db8::1', 0, right)).toBe(true);
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
    ['2001:db8::1', '2001:0db8:0:0:1::'],
    ['::1', '::2'],
    ['203.0.113.7', '::ffff:203.0.113.7'],
  ])('takes %s and %s for one network', async (one, other) => {
    await fail(one, 0, 0, 0, 0, 0);
    await expect(backoff.attempt(other, 0, right)).rejects.toEqual(refused(30));
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['::ffff:203.0.113.7', '::ffff:203.0.113.8'],
  ])('takes %s and %s for two', async (one, other) => {
    await fail(one, 0, 0, 0, 0, 0);
    expect(await backoff.attempt(other, 0, right)).toBe(true);
  });

  it('checks one password at a time, so that a burst gets no more tries than a sequence', async () => {
    let [checks, running, mostRunning] = [0, 0, 0];
    const check = async (): Promise<boolean> => {
      checks += 1;
      running += 1;
      mostRunning = Math.max(mostRunning, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return false;
    };
    const burst = await Promise.allSettled(Array.from({ length: 16 }, () => backoff.attempt(ATTACKER, 0, check)));
    expect(burst.filter(({ status }) => status === 'rejected')).toHaveLength(11);
    expect([checks, mostRunning]).toEqual([5, 1]);
  });

  it('refuses at once when too many wait, and goes on when they are done', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<boolean>();
    const line = Array.from({ length: 16 }, (_, index) => backoff.attempt(`10.0.0.${String(index)}`, 0, () => gate));
    await expect(backoff.attempt('10.0.1.1', 0, right)).rejects.toEqual(refused(1));
    open(true);
    expect(await Promise.all(line)).toEqual(Array(16).fill(true));
    expect(await backoff.attempt('10.0.1.1', 0, right)).toBe(true);
  });

  it('goes on after a check that could not be made, which counts as no failure', async () => {
    const broken = (): Promise<boolean> => Promise.reject(new Error('database away'));
    for (let login = 0; login < 10; login += 1) {
      await expect(backoff.attempt(ATTACKER, 0, broken)).rejects.toThrow('database away');
    }
    expect(await backoff.attempt(ATTACKER, 0, right)).toBe(true);
  });
});
