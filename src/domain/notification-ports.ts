/** Telling others how a deployment ended: what is told, to whom, and the ports that keep and send it. */
import type { DeploymentStatus } from './phases.js';

/** How a deployment can end, as targets choose by. */
export const OUTCOMES = ['succeeded', 'failed', 'cancelled'] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type NotificationEvent = `deployment.${Outcome}`;

export const TARGET_TYPES = ['slack', 'discord', 'webhook'] as const;
export type TargetType = (typeof TARGET_TYPES)[number];

/** How it ended, whatever became of its rollback later; `undefined` while it has not. */
export function outcomeOf(status: DeploymentStatus): Outcome | undefined {
  switch (status) {
    case 'success':
      return 'succeeded';
    case 'failed':
    case 'rolled_back':
      return 'failed';
    case 'cancelled':
      return 'cancelled';
    case 'pending':
    case 'building':
    case 'deploying':
      return undefined;
  }
}

export interface PlannedNotification {
  /** The same at every attempt: receivers know by it what they have been told before. */
  readonly id: string;
  /** Name of the target in the configuration. */
  readonly target: string;
  /** Absent where the configuration cannot be read. */
  readonly type?: TargetType;
  readonly event: NotificationEvent;
  /** Why it can never be sent: then it is dead from the beginning. */
  readonly problem?: string;
}

export const NOTIFICATION_STATUSES = ['pending', 'delivered', 'dead'] as const;
export type NotificationStatus = (typeof NOTIFICATION_STATUSES)[number];

export interface NotificationRecord extends Omit<PlannedNotification, 'problem'> {
  readonly deployment_id: string;
  readonly status: NotificationStatus;
  /** Failed ones and the delivery; those before a retry by hand are forgotten. */
  readonly attempts: number;
  readonly next_attempt_at?: string;
  readonly delivered_at?: string;
  /** Without any URL or secret. */
  readonly last_error?: string;
  readonly created_at: string;
}

/** A notification that this process may send, until the lease runs out. */
export interface NotificationClaim {
  readonly record: NotificationRecord;
  readonly fence: number;
}

/** Only the database's clock counts. What writes under a claim answers false when another process has taken it over. */
export abstract class NotificationStore {
  /** Deployments that have ended and are not planned yet, oldest first; nobody else gets them for so long. */
  abstract claimEndings(limit: number, leaseMs: number): Promise<string[]>;
  /** Keeps what is to be told and forgets the ending, together; false when somebody else has done so. */
  abstract plan(deploymentId: string, notifications: readonly PlannedNotification[]): Promise<boolean>;
  /** The one that has been due for the longest, unless its target is among those left out. */
  abstract claim(leaseMs: number, leftOut: readonly string[]): Promise<NotificationClaim | undefined>;
  abstract delivered(claim: NotificationClaim): Promise<boolean>;
  /** It is tried again after the wait. */
  abstract failed(claim: NotificationClaim, error: string, waitMs: number): Promise<boolean>;
  /** It is never tried again by itself. */
  abstract dead(claim: NotificationClaim, error: string): Promise<boolean>;
  /** Gives it back, as if it had not been tried. */
  abstract release(claim: NotificationClaim): Promise<boolean>;
  abstract ofDeployment(deploymentId: string): Promise<NotificationRecord[]>;
  /**
   * Makes a dead one pending again, with all its attempts; one without a type makes room for a plan anew. `undefined` where it is
   * not dead.
   */
  abstract revive(deploymentId: string, id: string): Promise<NotificationRecord | undefined>;
  /** Deletes those that have outlived their time. */
  abstract prune(): Promise<void>;
}

export interface WebhookRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type WebhookReply =
  | { readonly kind: 'answered'; readonly status: number; readonly retry_after_ms?: number }
  /** Nothing answered, in words that tell no address. */
  | { readonly kind: 'unanswered'; readonly reason: string }
  /** It may not be sent there, and trying again does not help. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Sends to addresses that users have named. What goes wrong is a reply; only being stopped is an error. */
export abstract class WebhookSender {
  /** @throws the signal's reason */
  abstract send(request: WebhookRequest, signal: AbortSignal): Promise<WebhookReply>;
}
