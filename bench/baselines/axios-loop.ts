/** The barest way to FlukeBase: a loop that posts entries with axios, and forgets them when they do not arrive. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import axios, { type AxiosInstance } from 'axios';
import type { FlukeBaseProcess } from '../../test/support/flukebase-process.ts';
import { quantile } from '../support/benchmark.ts';
import { toEntry } from '../support/built.ts';
import { lines } from '../support/deployments.ts';

export const BATCH = 100;

export class AxiosLoop {
  readonly #http: AxiosInstance;
  readonly #target: FlukeBaseProcess;
  #made = 0;

  private constructor(target: FlukeBaseProcess, ca: string) {
    this.#target = target;
    this.#http = axios.create({
      baseURL: `${target.place.url}/flukebase_connect`,
      headers: { authorization: `Bearer ${target.place.token}` },
      httpsAgent: new Agent({ keepAlive: true, ca }),
      proxy: false,
    });
  }

  static async to(target: FlukeBaseProcess): Promise<AxiosLoop> {
    return new AxiosLoop(target, await readFile(target.place.caFile, 'utf8'));
  }

  /** Entries a second. */
  async rate(count: number): Promise<number> {
    const began = Date.now();
    const deployment_id = await this.#begin();
    const logs = lines(count).map((item, index) => entry(deployment_id, item, index + 1));
    for (let first = 0; first < count; first += BATCH) {
      await this.#post('deployment_logs/batch', { logs: logs.slice(first, first + BATCH), source: 'flukedeploy' });
    }
    return perSecond((await this.#target.tell({ since: began })).arrivals.map(({ arrived }) => arrived));
  }

  /** Milliseconds from the making of an entry to its arrival, one at a time. */
  async latency(count: number, everyMs: number): Promise<number> {
    const began = Date.now();
    const deployment_id = await this.#begin();
    for (let sequence = 1; sequence <= count; sequence++) {
      const [item] = lines(1, sequence);
      await this.#post('deployment_logs', { log: entry(deployment_id, item!, sequence), source: 'flukedeploy' });
      await pause(everyMs);
    }
    const { arrivals } = await this.#target.tell({ since: began });
    return quantile(
      arrivals.map(({ written, arrived }) => arrived - written),
      0.5,
    );
  }

  async #begin(): Promise<string> {
    const deployment_id = `dep-raw-${++this.#made}`;
    const deployment = { deployment_id, app_name: 'raw', environment: 'production', status: 'building' };
    const requested_at = new Date().toISOString();
    await this.#post('deployments', { deployment: { ...deployment, requested_at }, source: 'flukedeploy' });
    return deployment_id;
  }

  async #post(path: string, body: object): Promise<void> {
    const key = randomBytes(16).toString('hex');
    await this.#http.post(path, body, { headers: { 'idempotency-key': key } });
  }
}

function entry(deployment_id: string, item: ReturnType<typeof lines>[number], sequence: number): object {
  if (!('draft' in item)) throw new Error('it is no line');
  const place = { deployment_id, app_name: 'raw', environment: 'production', instance: 'bench/1' };
  return toEntry({ ...item.draft, ...place, sequence, cursor: `e1.${sequence}s`, status: 'building' });
}

/** From the first to the last, in milliseconds since 1970. */
export function perSecond(moments: readonly number[]): number {
  const sorted = Float64Array.from(moments).sort();
  return (moments.length * 1_000) / (sorted.at(-1)! - sorted[0]!);
}
