/** What FlukeBase has of deployments, beside what FlukeDeploy says of them. */
import { expect } from '@jest/globals';
import type { UnifiedLogEntry } from '../../src/domain/log-entry.js';
import type { Client } from './client.js';
import type { FlukeBase } from './flukebase.js';
import type { HeldTask } from './flukebase-ledger.js';
import { until } from './until.js';

/** Longer than a request's deadline and the waits of some attempts. */
const IN_TIME_MS = 60_000;

export class SyncedDeployments {
  constructor(
    private readonly flukebase: FlukeBase,
    private readonly client: Client,
  ) {}

  entries(id: string): readonly UnifiedLogEntry[] {
    return (this.flukebase.held.deployments.get(id)?.entries ?? []) as unknown as UnifiedLogEntry[];
  }

  task(id: string): HeldTask | undefined {
    return this.flukebase.held.tasks.get(`DEPLOY-${id}`);
  }

  /** Statuses of its summaries, without repetitions. */
  summaries(id: string): readonly string[] {
    const statuses = this.flukebase.held.deployments.get(id)?.summaries.map(({ status }) => status) ?? [];
    return statuses.filter((status, index) => status !== statuses[index - 1]);
  }

  /** FlukeBase has the end of the deployment and so many of its entries as there are, but for those it will not take. */
  async over(id: string, refused = 0): Promise<readonly UnifiedLogEntry[]> {
    const { status } = await this.client.ended(id);
    const entries = await this.client.entries(id);
    await until(
      async () => this.summaries(id).at(-1) === status && this.entries(id).length >= entries.length - refused,
      `FlukeBase has ${id}`,
      IN_TIME_MS,
    );
    return entries;
  }

  /** Each entry is there once, as the API shows it, in order, and none of anything that contradicts it. */
  async expectComplete(id: string): Promise<void> {
    const entries = await this.over(id);
    expect(this.entries(id)).toEqual(entries);
    expect(this.flukebase.held.contradictions).toEqual([]);
  }

  /** As above, where parts of a batch were taken before others. */
  async expectCompleteInAnyOrder(id: string): Promise<void> {
    const entries = await this.over(id);
    const sequence = (entry: UnifiedLogEntry): number => entry.flukedeploy_metadata.sequence;
    expect([...this.entries(id)].sort((a, b) => sequence(a) - sequence(b))).toEqual(entries);
    expect(this.flukebase.held.contradictions).toEqual([]);
  }

  async taskOver(task_id: string): Promise<HeldTask> {
    return until(
      async () => {
        const task = this.flukebase.held.tasks.get(task_id);
        return task !== undefined && ['completed', 'failed', 'cancelled'].includes(task.status) && task;
      },
      `the task ${task_id} is over`,
      IN_TIME_MS,
    );
  }
}
