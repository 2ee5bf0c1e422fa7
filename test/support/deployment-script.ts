/** Writes deployments into a log as workers do, for tests of those who read it. */
import { createDeploymentLog, type LogLevel, type LogRow } from '../../src/domain/log-entry.js';
import type { AppendItem, LogStore, Wakeups } from '../../src/domain/ports.js';

const AT = '2026-02-03T10:00:00.000Z';

export class DeploymentScript {
  /** Every append of the script is followed by a wake-up. */
  constructor(
    private readonly store: LogStore,
    private readonly wakeups: Wakeups,
    readonly id: string,
    private readonly appName = 'api-server',
  ) {}

  request(): Promise<readonly LogRow[]> {
    const deployment = {
      id: this.id,
      app_name: this.appName,
      environment: 'production',
      project: 'default',
      version: 'v1',
      release: 1,
      actor: { kind: 'admin', name: 'admin' },
      source: 'nginx:1',
      timeout_ms: 900_000,
    } as const;
    return this.append([{ fact: { type: 'deployment_requested', at: AT, deployment } }]);
  }

  lines(messages: readonly string[], level: LogLevel = 'info'): Promise<readonly LogRow[]> {
    return this.append(
      messages.map((message) => ({ draft: createDeploymentLog({ at: AT, message, level, phase: 'build' }) })),
    );
  }

  succeed(): Promise<readonly LogRow[]> {
    return this.append([{ fact: { type: 'deployment_succeeded', at: AT } }]);
  }

  fail(): Promise<readonly LogRow[]> {
    const error = { code: 'build_failed', message: 'No.', retryable: false } as const;
    return this.append([{ fact: { type: 'deployment_failed', at: AT, error } }]);
  }

  rollBack(by: string): Promise<readonly LogRow[]> {
    return this.append([{ fact: { type: 'deployment_rolled_back', at: AT, by } }]);
  }

  private async append(items: readonly AppendItem[]): Promise<readonly LogRow[]> {
    const appended = await this.store.append({ deployment_id: this.id, items });
    await this.wakeups.publish('log', this.id);
    return appended?.rows ?? [];
  }
}
