import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startLogStream, type RunningLogStream } from '../../../test/support/log-stream-server.js';
import { MemoryLogStore } from '../../../test/support/memory-log-store.js';
import { StreamProbe, told } from '../../../test/support/stream-probe.js';
import { eventually } from '../../../test/support/eventually.js';
import type { LogFilter, LogPage } from '../../domain/ports.js';
import { LogStreamServer } from './log-stream.server.js';

/** Holds back the hub's questions, the answers to clients, or the questions about the bounds. */
class GatedLogStore extends MemoryLogStore {
  private readonly gates = { hub: open(), client: open(), bounds: open() };
  waiting = { hub: 0, client: 0, bounds: 0 };
  broken = false;

  /** Answers the function that lets everything through again. */
  hold(whom: keyof GatedLogStore['gates']): () => void {
    const gate = Promise.withResolvers<undefined>();
    this.gates[whom] = gate;
    return () => gate.resolve(undefined);
  }

  override async read(after: string, filter: LogFilter, limit: number): Promise<LogPage> {
    if (this.broken) throw new Error('the database is away');
    const isHub = limit === 500;
    if (isHub) await this.pass('hub');
    const page = await super.read(after, filter, limit);
    if (!isHub) await this.pass('client');
    return page;
  }

  override async bounds(): Promise<{ beginning: string; head: string }> {
    await this.pass('bounds');
    return super.bounds();
  }

  private async pass(whom: keyof GatedLogStore['gates']): Promise<void> {
    this.waiting[whom]++;
    await this.gates[whom].promise;
    this.waiting[whom]--;
  }
}

function open(): PromiseWithResolvers<undefined> {
  const gate = Promise.withResolvers<undefined>();
  gate.resolve(undefined);
  return gate;
}

describe('the hand-off from the store to the live stream', () => {
  let store: GatedLogStore;
  let stream: RunningLogStream;
  beforeEach(async () => {
    store = new GatedLogStore();
    stream = await startLogStream({ store });
  });
  afterEach(() => stream.app.close());

  it('doubles nothing when the client is ahead of the hub', async () => {
    const witness = await StreamProbe.subscribed(stream.url);
    const deployment = await stream.deployment('dep-1');
    await witness.take();
    const release = store.hold('hub');
    await deployment.lines(['two', 'three']);
    await eventually(() => store.waiting.hub === 1);
    const client = await StreamProbe.subscribed(stream.url, { since: 'beginning' });
    expect((await client.takeMany(4)).map(told).slice(1)).toEqual(['two', 'three', 'live']);
    await deployment.lines(['four']);
    release();
    expect(told(await client.take())).toBe('four');
    await deployment.lines(['five']);
    expect(told(await client.take())).toBe('five');
  });

  it('loses nothing when the hub has gone on while the last page was read', async () => {
    const deployment = await stream.deployment('dep-1');
    const witness = await StreamProbe.subscribed(stream.url, { filter: { level: 'error' } });
    const release = store.hold('client');
    const client = await StreamProbe.subscribed(stream.url, { since: 'beginning' });
    await eventually(() => store.waiting.client === 1);
    await deployment.lines(['meanwhile'], 'error');
    await witness.take();
    release();
    expect((await client.takeMany(3)).map(told).slice(1)).toEqual(['meanwhile', 'live']);
  });

  it('tells a live client what the hub could not read any more', async () => {
    const client = await StreamProbe.subscribed(stream.url);
    store.broken = true;
    const deployment = await stream.deployment('dep-1');
    await deployment.lines(['two', 'three', 'four']);
    store.prune(1);
    store.broken = false;
    expect((await client.takeMany(2)).map(told)).toEqual(['gap', 'four']);
    expect(client.frames[1]).toEqual({ type: 'gap', reason: 'retention', from: 'm1.0', to: 'm1.3' });
  });

  it('waits for a store that is away, and says so once', async () => {
    const deployment = await stream.deployment('dep-1');
    store.broken = true;
    const client = await StreamProbe.subscribed(stream.url, { since: 'beginning' });
    expect(await client.take()).toMatchObject({ type: 'error', code: 'unavailable' });
    store.broken = false;
    await deployment.lines(['two']);
    expect((await client.takeMany(3)).map(told).slice(1)).toEqual(['two', 'live']);
  });

  it('leaves nothing behind of a client that went away meanwhile', async () => {
    const release = store.hold('bounds');
    const gone = await StreamProbe.connect(`${stream.url}?since=beginning`);
    await eventually(() => store.waiting.bounds === 1);
    gone.cut();
    await eventually(() => stream.app.get(LogStreamServer).sockets.clients.size === 0);
    release();
    const witness = await StreamProbe.subscribed(stream.url, { since: 'beginning' });
    expect(told(await witness.take())).toBe('live');
    expect(await witness.ask({ action: 'get_stats' })).toMatchObject({ subscriptions: 1, catching_up: 0 });
  });
});
