/** Rows of notifications, as records. */
import type { NotificationEvent, NotificationRecord, TargetType } from '../../domain/notification-ports.js';

export interface NotificationRow {
  readonly id: string;
  readonly deployment_id: string;
  readonly target: string;
  readonly type: TargetType | null;
  readonly event: NotificationEvent;
  readonly attempts: number;
  readonly next_attempt_at: Date | null;
  /** bigint, which comes as text. */
  readonly fence: string;
  readonly delivered_at: Date | null;
  readonly dead_at: Date | null;
  readonly last_error: string | null;
  readonly created_at: Date;
}

export function toNotificationRecord(row: NotificationRow): NotificationRecord {
  const { id, deployment_id, target, type, event, attempts, next_attempt_at, delivered_at, dead_at, last_error } = row;
  return {
    id,
    deployment_id,
    target,
    ...(type !== null && { type }),
    event,
    status: delivered_at ? 'delivered' : dead_at ? 'dead' : 'pending',
    attempts,
    ...(next_attempt_at && { next_attempt_at: next_attempt_at.toISOString() }),
    ...(delivered_at && { delivered_at: delivered_at.toISOString() }),
    ...(last_error !== null && { last_error }),
    created_at: row.created_at.toISOString(),
  };
}
