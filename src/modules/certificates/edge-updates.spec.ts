import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { EdgeUpdates } from './edge-updates.js';

/** What is stored, what the edge serves, and how often it looked. */
let stored: number;
let served: number;
let looks: number;
let broken: boolean;
let updates: EdgeUpdates;
beforeEach(() => {
  [stored, served, looks, broken] = [0, 0, 0, false];
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  updates = new EdgeUpdates({
    sync: async () => {
      looks++;
      const seen = stored;
      await new Promise((resolve) => setImmediate(resolve));
      if (broken) throw new Error('away');
      served = seen;
    },
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the edge', () => {
  it('serves what was stored before, and looks seldom', async () => {
    const change = async () => {
      const mine = ++stored;
      await updates.served();
      expect(served).toBeGreaterThanOrEqual(mine);
    };
    await Promise.all(Array.from({ length: 50 }, change));
    expect(looks).toBe(2);
    await change();
    expect(looks).toBe(3);
  });

  it('that is away is an error for who needs it, and else told once and tried again', async () => {
    broken = true;
    await expect(Promise.all([updates.served(), updates.served()])).rejects.toThrow('away');
    stored = 1;
    await updates.tell();
    await updates.tell();
    expect(Logger.prototype.warn).toHaveBeenCalledTimes(1);
    broken = false;
    await updates.catchUp();
    expect(served).toBe(1);
    const before = looks;
    await updates.catchUp();
    expect(looks).toBe(before);
  });
});
