/** A notification as the API shows it: neither its address nor a secret. */
import { ApiPropertyOptional } from '@nestjs/swagger';
import {
  TARGET_TYPES,
  type NotificationEvent,
  type NotificationRecord,
  type NotificationStatus,
  type TargetType,
} from '../../domain/ports.js';

export class NotificationView {
  /** What webhooks find in `webhook-id`. */
  id!: string;
  /** Name of the target in the options of notify; `*` where they cannot be read. */
  target!: string;
  @ApiPropertyOptional({ enum: TARGET_TYPES, enumName: 'TargetType' })
  type?: TargetType;
  /** What is told. */
  event!: NotificationEvent;
  status!: NotificationStatus;
  attempts!: number;
  /** ISO 8601 UTC, as all times. */
  next_attempt_at?: string;
  delivered_at?: string;
  /** Why the last attempt failed. */
  last_error?: string;
  created_at!: string;
}

export class NotificationListView {
  notifications!: NotificationView[];
}

export function notificationView({ deployment_id: _, ...notification }: NotificationRecord): NotificationView {
  return notification;
}
