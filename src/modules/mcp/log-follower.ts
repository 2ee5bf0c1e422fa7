/** Reads the log on, page by page, as it grows. */
import { Injectable } from '@nestjs/common';
import { matchesPattern } from '../../domain/app-pattern.js';
import type { LogRow } from '../../domain/log-entry.js';
import { LogStore, type LogFilter, type LogPage } from '../../domain/ports.js';
import { LogHub, type StreamEntry } from '../logs/index.js';

const PAGE_ROWS = 200;

@Injectable()
export class LogFollower {
  constructor(
    private readonly store: LogStore,
    private readonly hub: LogHub,
  ) {}

  /** Every page after the cursor that holds something, until the signal aborts or the server is about to stop. */
  async *follow(cursor: string, filter: LogFilter, signal: AbortSignal): AsyncGenerator<LogPage> {
    const over = AbortSignal.any([signal, this.hub.closing]);
    let after = cursor;
    let wake: () => void = () => undefined;
    const woken = () => new Promise<undefined>((resolve) => (wake = () => resolve(undefined)));
    const unsubscribe = this.hub.subscribe((batch) => {
      if (batch.some(({ row }: StreamEntry) => concerns(row, filter))) wake();
    });
    const end = (): void => wake();
    over.addEventListener('abort', end);
    try {
      for (;;) {
        // Listening begins before reading, so that nothing falls in between.
        const grown = woken();
        if (over.aborted) return;
        const page = await this.store.read(after, filter, PAGE_ROWS);
        after = page.next_cursor;
        if (page.rows.length > 0) yield page;
        else await grown;
      }
    } finally {
      over.removeEventListener('abort', end);
      unsubscribe();
    }
  }
}

function concerns(row: LogRow, { deployment_id, app_name, apps }: LogFilter): boolean {
  return (
    (deployment_id === undefined || row.deployment_id === deployment_id) &&
    (app_name === undefined || row.app_name === app_name) &&
    (apps === undefined || apps.some((pattern) => matchesPattern(row.app_name, pattern)))
  );
}
