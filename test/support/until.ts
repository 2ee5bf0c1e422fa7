/** Waits for what happens in its own time by looking again and again, so that no test has to guess how long it takes. */
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_EVERY_MS = 20;

/**
 * Answers what `look` found, as soon as it is neither undefined nor false.
 * @param what what is waited for; a function is asked when the time is up, and can say what was there instead
 * @throws Error when the time is up
 */
export async function until<Found>(
  look: () => Promise<Found | undefined | false>,
  what: string | (() => string),
  timeoutMs = 10_000,
): Promise<Found> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms in vain: ${typeof what === 'string' ? what : what()}`);
    }
    await pause(LOOK_EVERY_MS);
  }
}
