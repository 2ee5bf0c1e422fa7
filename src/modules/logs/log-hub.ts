/** The one reader of the log in this process: hands every new entry, serialised once, to all who follow the stream. */
import { setTimeout as delay } from 'node:timers/promises';
import {
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { decodeCursor, encodeCursor, type StreamPosition } from '../../domain/cursor.js';
import { toEntry, type LogRow } from '../../domain/log-entry.js';
import { LogStore, Wakeups } from '../../domain/ports.js';

/** An entry on its way to clients; `json` is the UnifiedLogEntry as every client gets it. */
export interface StreamEntry {
  readonly row: LogRow;
  readonly position: number;
  readonly json: string;
}
export type StreamListener = (batch: readonly StreamEntry[]) => void;

const BATCH_ENTRIES = 500;
/** Without a wake-up the log is looked at this often: Redis away means slower, never stopped. */
const POLL_MS = 1_000;
const RETRY_MS = { first: 100, longest: 5_000 } as const;

@Injectable()
export class LogHub implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private readonly logger = new Logger(LogHub.name);
  private readonly listeners = new Set<StreamListener>();
  private readonly waiting = new Map<string, Set<() => void>>();
  private readonly stopping = new AbortController();
  private readonly farewell = new AbortController();
  /** Aborts when the server is about to stop. */
  readonly closing = this.farewell.signal;
  private following: Promise<void> = Promise.resolve();
  private unsubscribe: () => void = () => undefined;
  private current: StreamPosition | undefined;
  private woken = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly store: LogStore,
    private readonly wakeups: Wakeups,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.unsubscribe = this.wakeups.subscribe('log', () => this.notify());
    const { head } = await this.answered(() => this.store.bounds());
    this.current = decodeCursor(head);
    this.following = this.follow();
  }

  /** Long-polls are answered now: the HTTP server waits for them. */
  beforeApplicationShutdown(): void {
    this.farewell.abort();
  }

  async onApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    this.stopping.abort();
    this.notify();
    await this.following;
    for (const deploymentId of this.waiting.keys()) this.release(deploymentId);
  }

  /** Up to here listeners have been told everything; while they are told a batch, it is the batch's end. */
  get place(): StreamPosition {
    if (this.current === undefined) throw new Error('the log is not followed before the application has started');
    return this.current;
  }

  /** The place's number: positions have no gap, so a batch that begins later than the next one left something out. */
  get position(): number {
    return this.place.position;
  }

  /** Calls the listener with every batch from now on, in stream order; answers the function that ends this. */
  subscribe(listener: StreamListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Something was appended: look now. Many calls during one read cause one more read. */
  notify(): void {
    this.woken = true;
    this.wake();
  }

  /**
   * Resolves at the next entry of the deployment, or when the signal aborts. To miss nothing: call it first,
   * then read the deployment's state, then await.
   */
  changed(deploymentId: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.stopping.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.waiting.get(deploymentId) ?? new Set();
      const done = (): void => {
        signal.removeEventListener('abort', done);
        waiters.delete(done);
        if (waiters.size === 0 && this.waiting.get(deploymentId) === waiters) this.waiting.delete(deploymentId);
        resolve();
      };
      signal.addEventListener('abort', done);
      this.waiting.set(deploymentId, waiters.add(done));
    });
  }

  private async follow(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      this.woken = false;
      const drained = await this.readOn();
      if (drained) await this.sleep();
    }
  }

  /** True when nothing is left to read for now. */
  private async readOn(): Promise<boolean> {
    try {
      const page = await this.answered(() => this.store.read(encodeCursor(this.place), {}, BATCH_ENTRIES));
      if (page.gap) this.logger.warn(`Entries after ${page.gap.from} were gone before they were streamed`);
      this.current = decodeCursor(page.next_cursor);
      if (page.rows.length > 0) this.tell(page.rows.map(streamEntry));
      return page.rows.length < BATCH_ENTRIES;
    } catch (error) {
      if (this.stopping.signal.aborted) return true;
      throw error;
    }
  }

  private tell(batch: readonly StreamEntry[]): void {
    for (const listener of this.listeners) {
      try {
        listener(batch);
      } catch (error) {
        this.logger.error('A listener of the log failed', error instanceof Error ? error.stack : String(error));
      }
    }
    for (const { row } of batch) this.release(row.deployment_id);
  }

  private release(deploymentId: string): void {
    for (const done of [...(this.waiting.get(deploymentId) ?? [])]) done();
  }

  /** Until somebody wakes us, which may have happened already, or the time to look anyway has come. */
  private sleep(): Promise<void> {
    if (this.woken) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Asks the store until it answers; only the shutdown ends the patience. */
  private async answered<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
    for (let failures = 0; ; failures++) {
      try {
        const answer = await ask();
        if (failures > 0) this.logger.log('The log can be read again');
        return answer;
      } catch (error) {
        if (failures === 0) this.logger.error(`The log cannot be read: ${String(error)}`);
        await delay(Math.min(RETRY_MS.first * 2 ** failures, RETRY_MS.longest), undefined, {
          signal: this.stopping.signal,
        });
      }
    }
  }
}

export function streamEntry(row: LogRow): StreamEntry {
  return { row, position: decodeCursor(row.cursor).position, json: JSON.stringify(toEntry(row)) };
}
