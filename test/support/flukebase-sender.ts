/** One process that tells FlukeBase, without the rest of the server: the rounds are made by the test. */
import { readFile } from 'node:fs/promises';
import { FlukeBaseClient } from '../../src/adapters/flukebase/flukebase-client.js';
import type { Database } from '../../src/adapters/postgres/database.js';
import { PostgresFlukeBaseStore } from '../../src/adapters/postgres/postgres-flukebase-store.js';
import { FlukeBaseDelivery } from '../../src/modules/flukebase/flukebase-delivery.js';
import { FlukeBaseOptions } from '../../src/modules/flukebase/flukebase-options.js';
import { FlukeBaseUpstream } from '../../src/modules/flukebase/flukebase-upstream.js';
import { LaneWorker } from '../../src/modules/flukebase/lane-worker.js';
import { LogSender } from '../../src/modules/flukebase/log-sender.js';
import type { FlukeBase } from './flukebase.js';

export class FlukeBaseSender {
  readonly #over = new AbortController();

  private constructor(
    readonly store: PostgresFlukeBaseStore,
    readonly upstream: FlukeBaseUpstream,
    private readonly delivery: FlukeBaseDelivery,
  ) {}

  static async start(database: Database, { url, token, caFile }: FlukeBase): Promise<FlukeBaseSender> {
    const store = new PostgresFlukeBaseStore(database, 30);
    const client = new FlukeBaseClient({ url, token, authorities: await readFile(caFile, 'utf8') });
    const upstream = new FlukeBaseUpstream(store);
    const sender = new LogSender(client, upstream);
    const worker = new LaneWorker(store, client, upstream, sender, new FlukeBaseOptions(true, url, ''));
    await store.begin();
    return new FlukeBaseSender(store, upstream, new FlukeBaseDelivery(store, upstream, worker));
  }

  /** Begins with what is due. */
  round(): Promise<void> {
    return this.delivery.round(this.#over.signal);
  }

  /** Until nothing is under way. */
  settled(): Promise<void> {
    return this.delivery.settled();
  }

  /** Breaks off what is under way. */
  async stop(): Promise<void> {
    this.delivery.close();
    this.#over.abort(new Error('over'));
    await this.delivery.settled();
  }
}
