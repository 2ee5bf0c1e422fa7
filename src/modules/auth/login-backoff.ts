/** Slows down guessing: too many wrong passwords from one network close the door to that network, and to nobody else. */
import { isIPv6 } from 'node:net';
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';

const MOST_FAILURES = 5;
const WINDOW_MS = 30_000;
/** Checks are made one at a time, for each costs memory and much of a processor; this many may wait. */
const LONGEST_LINE = 16;

/** Counts in this process only. The line bounds how many failures a window can hold. */
@Injectable()
export class LoginBackoff {
  /** Times of the wrong passwords within the window, oldest first. */
  readonly #failures = new Map<string, number[]>();
  #line: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /**
   * Answers what `check` answers.
   * @param now milliseconds of a steady clock
   * @throws DeployError `too_many_requests`
   */
  async attempt(address: string, now: number, check: () => Promise<boolean>): Promise<boolean> {
    const network = networkOf(address);
    this.#refuseAfterFailures(network, now);
    if (this.#waiting >= LONGEST_LINE) throw tooMany('Too many logins at once.', 1_000);

    this.#waiting += 1;
    const turn = this.#line.then(() => this.#check(network, now, check)).finally(() => (this.#waiting -= 1));
    this.#line = turn.catch(() => undefined);
    return turn;
  }

  async #check(network: string, now: number, check: () => Promise<boolean>): Promise<boolean> {
    // Those before us in the line may have failed meanwhile.
    this.#refuseAfterFailures(network, now);
    const correct = await check();
    if (!correct) this.#failures.set(network, [...(this.#failures.get(network) ?? []), now]);
    return correct;
  }

  #refuseAfterFailures(network: string, now: number): void {
    for (const [key, times] of this.#failures) {
      const recent = times.filter((at) => at > now - WINDOW_MS);
      if (recent.length > 0) this.#failures.set(key, recent);
      else this.#failures.delete(key);
    }
    const failures = this.#failures.get(network) ?? [];
    const [oldest] = failures;
    if (oldest === undefined || failures.length < MOST_FAILURES) return;
    throw tooMany('Too many wrong passwords.', oldest + WINDOW_MS - now);
  }
}

function tooMany(message: string, waitMs: number): DeployError {
  return new DeployError('too_many_requests', message, { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) });
}

/** An IPv4 address, or the first half of an IPv6 one: everybody with IPv6 has a whole network of addresses. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined || !isIPv6(address)) return mapped ?? address;
  const [head = '', tail] = address.split('::');
  const groups = head.split(':');
  const rest = tail?.split(':') ?? [];
  const zeros = tail === undefined ? [] : Array<string>(8 - groups.length - rest.length).fill('0');
  return [...groups, ...zeros, ...rest]
    .slice(0, 4)
    .map((group) => parseInt(group || '0', 16))
    .join(':');
}
