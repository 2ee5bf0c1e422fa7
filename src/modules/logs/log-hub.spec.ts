import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { DeploymentScript } from '../../../test/support/deployment-script.js';
import { MemoryLogStore } from '../../../test/support/memory-log-store.js';
import { MemoryWakeups } from '../../../test/support/memory-wakeups.js';
import { eventually } from '../../../test/support/eventually.js';
import { toEntry } from '../../domain/log-entry.js';
import type { LogFilter, LogPage } from '../../domain/ports.js';
import { LogHub, type StreamEntry } from './log-hub.js';

/** Counts the reads, and lets a test hold or break them. */
class WatchedLogStore extends MemoryLogStore {
  reads = 0;
  readsUnderWay = 0;
  mostAtOnce = 0;
  broken = false;
  gate: Promise<void> = Promise.resolve();

  override async read(after: string, filter: LogFilter, limit: number): Promise<LogPage> {
    this.reads++;
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.readsUnderWay);
    try {
      await this.gate;
      if (this.broken) throw new Error('the database is away');
      return await super.read(after, filter, limit);
    } finally {
      this.readsUnderWay--;
    }
  }
}

describe('LogHub', () => {
  let store: WatchedLogStore;
  let wakeups: MemoryWakeups;
  let hub: LogHub;
  let deployment: DeploymentScript;
  const told: StreamEntry[] = [];

  beforeEach(async () => {
    Logger.overrideLogger(false);
    told.length = 0;
    store = new WatchedLogStore();
    wakeups = new MemoryWakeups();
    deployment = new DeploymentScript(store, wakeups, 'dep-1');
    await deployment.request();
    hub = new LogHub(store, wakeups);
    hub.subscribe((batch) => told.push(...batch));
    await hub.onApplicationBootstrap();
  });
  afterEach(() => hub.onApplicationShutdown());

  const never = new AbortController().signal;
  const messages = (): string[] => told.map(({ row }) => row.message);
  const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => `line ${index}`);

  it('begins at the head and tells each entry once, serialised, in order', async () => {
    await deployment.lines(numbers(3));
    await eventually(() => told.length === 3);
    expect(told.map(({ position }) => position)).toEqual([2, 3, 4]);
    expect(told.map(({ json }) => JSON.parse(json) as unknown)).toEqual(told.map(({ row }) => toEntry(row)));
    expect(hub.position).toBe(4);
  });

  it('reads on until nothing is left, however much was appended', async () => {
    await deployment.lines(numbers(1_234));
    await eventually(() => told.length === 1_234);
    expect(messages()).toEqual(numbers(1_234));
  });

  it('has one read under way; wake-ups during it cause one more', async () => {
    await eventually(() => store.reads === 1 && store.readsUnderWay === 0);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    store.gate = promise;
    hub.notify();
    await eventually(() => store.readsUnderWay === 1);
    for (let count = 0; count < 100; count++) hub.notify();
    await deployment.lines(['late']);
    resolve(undefined);
    await eventually(() => told.length === 1);
    expect(store.mostAtOnce).toBe(1);
    expect(store.reads).toBeLessThanOrEqual(3);
  });

  it('finds entries that nobody woke it for', async () => {
    const silent = new DeploymentScript(store, new MemoryWakeups(), 'dep-1');
    await silent.lines(['unheard']);
    await eventually(() => told.length === 1);
    expect(messages()).toEqual(['unheard']);
  });

  it('goes on after the store was away, having lost nothing', async () => {
    store.broken = true;
    await deployment.lines(['meanwhile']);
    const before = store.reads;
    await eventually(() => store.reads >= before + 2);
    store.broken = false;
    await eventually(() => told.length === 1);
    expect(messages()).toEqual(['meanwhile']);
  });

  it('keeps a failing listener from the others', async () => {
    hub.subscribe(() => {
      throw new Error('mine');
    });
    const later: number[] = [];
    const unsubscribe = hub.subscribe((batch) => later.push(...batch.map(({ position }) => position)));
    await deployment.lines(['one']);
    await eventually(() => later.length === 1);
    unsubscribe();
    await deployment.lines(['two']);
    await eventually(() => told.length === 2);
    expect(later).toEqual([2]);
  });

  describe('changed', () => {
    it('resolves at the next entry of that deployment', async () => {
      const other = new DeploymentScript(store, wakeups, 'dep-2');
      let changed = false;
      const change = hub.changed('dep-1', never).then(() => (changed = true));
      await other.request();
      await eventually(() => told.length === 1);
      expect(changed).toBe(false);
      await deployment.lines(['now']);
      await change;
      expect(messages()).toContain('now');
    });

    it('resolves when its signal aborts, and at the shutdown', async () => {
      const controller = new AbortController();
      const change = hub.changed('dep-1', controller.signal);
      controller.abort();
      await change;
      await hub.changed('dep-1', controller.signal);
      const waiting = hub.changed('dep-1', never);
      await hub.onApplicationShutdown();
      await waiting;
      await hub.changed('dep-1', never);
    });
  });
});
