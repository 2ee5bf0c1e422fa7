import { describe, expect, it } from '@jest/globals';
import type { FlukeBaseReply, FlukeBaseStore, UpstreamReport } from '../../domain/ports.js';
import { FlukeBaseUpstream } from './flukebase-upstream.js';

const UNAUTHORISED: FlukeBaseReply = { kind: 'refused', status: 401, reason: 'no such token' };
const ACCEPTED: FlukeBaseReply = { kind: 'accepted', status: 200 };

/** A store whose first write takes until it is let go. */
class SlowStore {
  stored: UpstreamReport | undefined;
  readonly #first = Promise.withResolvers<undefined>();
  #writes = 0;

  async tell(report: UpstreamReport): Promise<void> {
    if (this.#writes++ === 0) await this.#first.promise;
    this.stored = report;
  }
  async hurry(): Promise<void> {}
  letGo(): void {
    this.#first.resolve(undefined);
  }
}

describe('what everybody is told of FlukeBase', () => {
  it('is the newest of what two calls at once have learnt, however long it takes to write', async () => {
    const store = new SlowStore();
    const upstream = new FlukeBaseUpstream(store as unknown as FlukeBaseStore);
    const [refusal, acceptance] = [Promise.withResolvers<FlukeBaseReply>(), Promise.withResolvers<FlukeBaseReply>()];
    const asked = [refusal, acceptance].map(({ promise }) => upstream.ask('log', 1, () => promise));
    refusal.resolve(UNAUTHORISED);
    await new Promise(setImmediate);
    acceptance.resolve(ACCEPTED);
    await new Promise(setImmediate);
    store.letGo();
    await Promise.all(asked);
    expect(upstream.report).not.toHaveProperty('paused');
    expect(store.stored).toEqual(upstream.report);
  });

  it('stays that a route is refused, until it is no more, whatever other routes take', async () => {
    const store = new SlowStore();
    store.letGo();
    const upstream = new FlukeBaseUpstream(store as unknown as FlukeBaseStore);
    await upstream.ask('deployment', 1, async () => ({ kind: 'refused', status: 403 }));
    await upstream.ask('log', 1, async () => ACCEPTED);
    expect(store.stored).toMatchObject({ paused: expect.stringContaining('403') });
    await upstream.ask('deployment', 1, async () => ACCEPTED);
    expect(store.stored).not.toHaveProperty('paused');
  });
});
