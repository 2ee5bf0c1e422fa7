/** The only writer of the log: masks and cleans every text before it is stored, then wakes the streams. */
import { Injectable } from '@nestjs/common';
import { LIMITS } from '../../domain/limits.js';
import { createMasker, type Masker } from '../../domain/masking.js';
import { LogStore, Wakeups, type Append, type Appended } from '../../domain/ports.js';
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
    const items = append.items.map((item) => cleaned(masker.maskDeep(item)));
    const appended = await this.store.append({ ...append, items });
    if (appended && appended.rows.length > 0) this.announce(append.deployment_id);
    return appended;
  }

  /** Tells every process that the log has grown. Losing the message costs a moment, so nobody waits for it. */
  announce(deploymentId: string): void {
    this.hub.notify();
    this.wakeups.publish('log', deploymentId).catch(() => undefined);
  }
}

/** Colours, other control characters and lone surrogates: neither people nor PostgreSQL can do anything with them. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const UNPRINTABLE = /\u001b\[[0-9;?]*[ -/]*[@-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g;

function cleaned<Value>(value: Value): Value {
  if (typeof value === 'string')
    return value.replace(UNPRINTABLE, '').toWellFormed().slice(0, LIMITS.log_line_length) as Value;
  if (Array.isArray(value)) return value.map(cleaned) as Value;
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, cleaned(inner as unknown)])) as Value;
  }
  return value;
}
