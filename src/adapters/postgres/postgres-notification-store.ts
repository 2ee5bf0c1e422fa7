/** Notifications in PostgreSQL: which endings nobody has planned yet, who is told of the others, and how far that is. */
import {
  NotificationStore,
  type NotificationClaim,
  type NotificationRecord,
  type PlannedNotification,
} from '../../domain/notification-ports.js';
import type { Database } from './database.js';
import { toNotificationRecord, type NotificationRow } from './notification-rows.js';

const NOW = 'clock_timestamp()';
const HELD = 'id = $1 and fence = $2 and lease_until is not null';
const after = (parameter: string): string => `${NOW} + ${parameter}::float8 * interval '1 millisecond'`;

export class PostgresNotificationStore extends NotificationStore {
  constructor(
    private readonly database: Database,
    /** Days after which a notification is forgotten, whatever became of it. */
    private readonly retentionDays: number,
  ) {
    super();
  }

  override async claimEndings(limit: number, leaseMs: number): Promise<string[]> {
    const rows = await this.database.query<{ deployment_id: string; ended_at: Date }>(
      `update deployment_endings set due_at = ${after('$2')}
       where deployment_id in (
         select deployment_id from deployment_endings where due_at <= ${NOW}
         order by due_at, deployment_id limit $1 for update skip locked
       ) returning deployment_id, ended_at`,
      [limit, leaseMs],
    );
    return rows
      .sort((one, other) => one.ended_at.getTime() - other.ended_at.getTime())
      .map(({ deployment_id }) => deployment_id);
  }

  /** Whoever deletes the ending plans it, so that nothing is planned twice. */
  override plan(deploymentId: string, notifications: readonly PlannedNotification[]): Promise<boolean> {
    return this.database.transaction(async (client) => {
      const { rowCount } = await client.query('delete from deployment_endings where deployment_id = $1', [
        deploymentId,
      ]);
      if (rowCount === 0) return false;
      for (const { id, target, type, event, problem } of notifications) {
        await client.query(
          `insert into notifications (id, deployment_id, target, type, event, last_error, dead_at, next_attempt_at)
           values ($1, $2, $3, $4, $5, $6, case when $6::text is not null then ${NOW} end,
             case when $6::text is null then ${NOW} end)`,
          [id, deploymentId, target, type ?? null, event, problem ?? null],
        );
      }
      return true;
    });
  }

  override async claim(leaseMs: number, leftOut: readonly string[]): Promise<NotificationClaim | undefined> {
    const [row] = await this.database.query<NotificationRow>(
      `update notifications set lease_until = ${after('$1')}, fence = fence + 1
       where id = (
         select id from notifications
         where next_attempt_at <= ${NOW} and (lease_until is null or lease_until < ${NOW}) and target <> all ($2::text[])
         order by next_attempt_at, id limit 1 for update skip locked
       ) returning *`,
      [leaseMs, leftOut],
    );
    return row && { record: toNotificationRecord(row), fence: Number(row.fence) };
  }

  override delivered({ record, fence }: NotificationClaim): Promise<boolean> {
    return this.#changes(
      `update notifications set delivered_at = ${NOW}, attempts = attempts + 1, last_error = null, next_attempt_at = null,
         lease_until = null where ${HELD} returning id`,
      [record.id, fence],
    );
  }

  override failed({ record, fence }: NotificationClaim, error: string, waitMs: number): Promise<boolean> {
    return this.#changes(
      `update notifications set attempts = attempts + 1, last_error = $3, next_attempt_at = ${after('$4')},
         lease_until = null where ${HELD} returning id`,
      [record.id, fence, error, waitMs],
    );
  }

  override dead({ record, fence }: NotificationClaim, error: string): Promise<boolean> {
    return this.#changes(
      `update notifications set dead_at = ${NOW}, attempts = attempts + 1, last_error = $3, next_attempt_at = null,
         lease_until = null where ${HELD} returning id`,
      [record.id, fence, error],
    );
  }

  override release({ record, fence }: NotificationClaim): Promise<boolean> {
    return this.#changes(`update notifications set lease_until = null where ${HELD} returning id`, [record.id, fence]);
  }

  override async ofDeployment(deploymentId: string): Promise<NotificationRecord[]> {
    const rows = await this.database.query<NotificationRow>(
      'select * from notifications where deployment_id = $1 order by target',
      [deploymentId],
    );
    return rows.map(toNotificationRecord);
  }

  override revive(deploymentId: string, id: string): Promise<NotificationRecord | undefined> {
    return this.database.transaction(async (client) => {
      const { rows } = await client.query<NotificationRow>(
        `update notifications set dead_at = null, attempts = 0, next_attempt_at = ${NOW}
         where deployment_id = $1 and id = $2 and dead_at is not null returning *`,
        [deploymentId, id],
      );
      const [row] = rows;
      if (row?.type === null) {
        await client.query('delete from notifications where id = $1', [id]);
        await client.query('insert into deployment_endings (deployment_id) values ($1)', [deploymentId]);
      }
      return row && toNotificationRecord(row);
    });
  }

  override async prune(): Promise<void> {
    const outlived = (column: string): string => `${column} < ${NOW} - $1::int * interval '1 day'`;
    await this.database.query(`delete from notifications where ${outlived('created_at')}`, [this.retentionDays]);
    await this.database.query(`delete from deployment_endings where ${outlived('ended_at')}`, [this.retentionDays]);
  }

  async #changes(statement: string, values: unknown[]): Promise<boolean> {
    return (await this.database.query(statement, values)).length > 0;
  }
}
