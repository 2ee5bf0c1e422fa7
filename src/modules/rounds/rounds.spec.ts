import { expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Rounds } from './rounds.js';

Logger.overrideLogger(false);

/** Far longer than the test: only a call makes a round. */
const NEVER = { name: 'Test', every_ms: 3_600_000 };

it('looks at the start, once more for many calls during a round, and at each call after that', async () => {
  const first = Promise.withResolvers<undefined>();
  const [begun, third] = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  let count = 0;
  const rounds = new Rounds(NEVER, async () => {
    count++;
    if (count === 1) {
      begun.resolve(undefined);
      await first.promise;
    }
    if (count === 2) setImmediate(() => rounds.wake());
    if (count === 3) third.resolve(undefined);
  });
  rounds.start();
  await begun.promise;
  for (let calls = 0; calls < 10; calls++) rounds.wake();
  first.resolve(undefined);
  await third.promise;
  await rounds.stop();
  expect(count).toBe(3);
});

it('goes on after a round that failed', async () => {
  const again = Promise.withResolvers<undefined>();
  let count = 0;
  const rounds = new Rounds(NEVER, async () => {
    count++;
    if (count === 2) again.resolve(undefined);
    setImmediate(() => rounds.wake());
    if (count === 1) throw new Error('away');
  });
  rounds.start();
  await again.promise;
  await rounds.stop();
});

it('comes soon after a call, even where it looks seldom and gathers', async () => {
  const second = Promise.withResolvers<undefined>();
  let count = 0;
  const rounds = new Rounds({ ...NEVER, gather_ms: 1 }, async () => {
    count++;
    if (count === 2) second.resolve(undefined);
  });
  rounds.start();
  rounds.wake();
  await second.promise;
  await rounds.stop();
});

it('tells the round under way that it is over, and waits for it', async () => {
  const begun = Promise.withResolvers<undefined>();
  let reason: unknown;
  const rounds = new Rounds(NEVER, async (signal) => {
    begun.resolve(undefined);
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
    reason = signal.reason;
  });
  rounds.start();
  await begun.promise;
  await rounds.stop();
  expect(reason).toEqual(new Error('FlukeDeploy shuts down.'));
});
