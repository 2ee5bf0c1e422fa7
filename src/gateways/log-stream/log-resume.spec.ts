import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startLogStream, type RunningLogStream } from '../../../test/support/log-stream-server.js';
import { StreamProbe, told, type Frame } from '../../../test/support/stream-probe.js';
import { toEntry, type UnifiedLogEntry } from '../../domain/log-entry.js';

/** Mulberry32: the run is as random as its seed, and the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const isEntry = (frame: Frame): frame is Frame & UnifiedLogEntry => '@type' in frame;
const LAST = 'nothing comes after this';

describe('resuming', () => {
  let stream: RunningLogStream;
  beforeEach(async () => {
    stream = await startLogStream();
  });
  afterEach(() => stream.app.close());

  it('replays what came after the cursor, says live, and goes on', async () => {
    const deployment = await stream.deployment('dep-1');
    await deployment.lines(['two', 'three']);
    const client = await StreamProbe.connect(`${stream.url}?since=m1.1`);
    expect(await client.take()).toEqual({ type: 'subscribed', filter: {}, since: 'm1.1' });
    expect((await client.takeMany(3)).map(told)).toEqual(['two', 'three', 'live']);
    await deployment.lines(['four']);
    expect((await client.take())['message']).toBe('four');
    expect(client.frames[3]).toEqual({ type: 'live', cursor: 'm1.3' });
  });

  it('from now says live at once', async () => {
    const client = await StreamProbe.connect(`${stream.url}?since=now`);
    expect((await client.takeMany(2)).map(told)).toEqual(['subscribed', 'live']);
  });

  it('from the beginning brings thousands of entries, page by page', async () => {
    const deployment = await stream.deployment('dep-1');
    const lines = Array.from({ length: 3_000 }, (_, index) => `line ${index}`);
    await deployment.lines(lines);
    const client = await StreamProbe.subscribed(stream.url, { since: 'beginning', filter: { level: 'info' } });
    const frames = await client.takeMany(3_002);
    expect(frames.slice(1, -1).map(told)).toEqual(lines);
    expect(told(frames.at(-1) ?? {})).toBe('live');
  });

  it.each([1, 2, 3])('loses nothing and doubles nothing, however clients come and go (seed %i)', async (seed) => {
    const random = randomFrom(seed);
    const upTo = (most: number): number => 1 + Math.floor(random() * most);
    const deployments = await Promise.all(['dep-1', 'dep-2', 'dep-3'].map((id) => stream.deployment(id, `app-${id}`)));

    const write = async (): Promise<void> => {
      for (let round = 0; round < 150; round++) {
        const count = upTo(random() < 0.1 ? 400 : 5);
        await deployments[upTo(3) - 1]?.lines(Array.from({ length: count }, () => 'x'.repeat(upTo(3_000))));
      }
      for (const deployment of deployments) await deployment.lines([LAST]);
    };

    /** Connects again and again, each time after the last entry it got, until it has seen the last of each deployment. */
    const follow = async (filter: object, lastOnes: number): Promise<UnifiedLogEntry[]> => {
      const received: UnifiedLogEntry[] = [];
      const missing = (): boolean => received.filter(({ message }) => message === LAST).length < lastOnes;
      while (missing()) {
        const last = received.at(-1);
        const since = last?.flukedeploy_metadata.cursor ?? 'beginning';
        const client = await StreamProbe.subscribed(stream.url, { filter, since });
        for (let frames = upTo(800); frames > 0 && missing(); frames--) {
          const frame = await client.take();
          if (isEntry(frame)) received.push(frame);
        }
        client.cut();
      }
      return received;
    };

    const [, all, one] = await Promise.all([write(), follow({}, 3), follow({ app_name: 'app-dep-2' }, 1)]);
    const { rows } = await stream.store.query({}, { limit: Infinity, offset: 0 });
    expect(all).toEqual(rows.map(toEntry));
    expect(one).toEqual(rows.filter(({ app_name }) => app_name === 'app-dep-2').map(toEntry));
  });
});
