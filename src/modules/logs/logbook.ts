/** The only writer of the log: masks and cleans every text before it is stored, then wakes the streams. */
import { Injectable } from '@nestjs/common';
import { createMasker, type Masker } from '../../domain/masking.js';
import { LogStore, Wakeups, type Append, type Appended } from '../../domain/ports.js';
import { printableDeep } from '../../domain/printable-text.js';
import { LogHub } from './log-hub.js';

/** Knows no value of its own: what entries of the API are masked by. */
const PATTERNS_ONLY = createMasker([]);

@Injectable()
export class Logbook {
  constructor(
    private readonly store: LogStore,
    private readonly wakeups: Wakeups,
    private readonly hub: LogHub,
  ) {}

  /** `undefined`: the fence is old and nothing was written. `masker` knows the secrets of the deployment. */
  async append(append: Append, masker: Masker = PATTERNS_ONLY): Promise<Appended | undefined> {
    // Cleaned first: a colour code inside a secret must not hide it from the masker.
    const items = append.items.map((item) => masker.maskDeep(printableDeep(item)));
    const appended = await this.store.append({ ...append, items });
    if (appended && appended.rows.length > 0) this.announce(append.deployment_id);
    return appended;
  }

  /** What is stored along with an order, cleaned and masked like every entry. */
  clean<Value>(value: Value): Value {
    return PATTERNS_ONLY.maskDeep(printableDeep(value));
  }

  /** Tells every process that the log has grown. Losing the message costs a moment, so nobody waits for it. */
  announce(deploymentId: string): void {
    this.hub.notify();
    this.wakeups.publish('log', deploymentId).catch(() => undefined);
  }
}
