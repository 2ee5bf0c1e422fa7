/** Parameters of the notification routes. */
import { Matches } from 'class-validator';

export class DeploymentNotificationsParams {
  @Matches(/^[\w-]{1,64}$/, { message: 'id must be a deployment id' }) id!: string;
}

export class NotificationParams extends DeploymentNotificationsParams {
  @Matches(/^[\w-]{1,64}$/, { message: 'notification must be a notification id' }) notification!: string;
}
