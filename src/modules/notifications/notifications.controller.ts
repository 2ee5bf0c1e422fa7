/** REST: who has been told how a deployment ended. */
import { Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeployError } from '../../domain/errors.js';
import { DeploymentStore, NotificationStore, type Principal } from '../../domain/ports.js';
import { Audited, CurrentPrincipal, Policy, requireApp } from '../auth/index.js';
import { NotificationListView, notificationView, NotificationView } from './notification.view.js';
import { DeploymentNotificationsParams, NotificationParams } from './notifications.dto.js';

@ApiTags('deployments')
@Controller('api/v1/deployments/:id/notifications')
export class NotificationsController {
  constructor(
    private readonly notifications: NotificationStore,
    private readonly deployments: DeploymentStore,
  ) {}

  /** Empty until a moment after the end, and where notify is not switched on. */
  @Get()
  @Policy({ scope: 'read' })
  async list(
    @Param() { id }: DeploymentNotificationsParams,
    @CurrentPrincipal() principal: Principal,
  ): Promise<NotificationListView> {
    await this.#requireVisible(id, principal);
    return { notifications: (await this.notifications.ofDeployment(id)).map(notificationView) };
  }

  /** Tries one that was given up again, with all its attempts, as notify is configured by now; `*` is replaced by its targets. */
  @Post(':notification/retry')
  @HttpCode(202)
  @Policy({ scope: 'deploy' })
  @Audited('notification.retry', ':id/:notification')
  async retry(
    @Param() { id, notification }: NotificationParams,
    @CurrentPrincipal() principal: Principal,
  ): Promise<NotificationView> {
    await this.#requireVisible(id, principal);
    const revived = await this.notifications.revive(id, notification);
    if (revived === undefined) {
      const known = await this.notifications.ofDeployment(id);
      const exists = known.some((record) => record.id === notification);
      throw new DeployError(exists ? 'notification_not_dead' : 'notification_not_found');
    }
    return notificationView(revived);
  }

  /** A deployment of a foreign app is not there, as far as this principal can tell. */
  async #requireVisible(id: string, principal: Principal): Promise<void> {
    const record = await this.deployments.find(id);
    if (record === undefined) throw new DeployError('deployment_not_found');
    requireApp(principal, record.state.identity.app_name, 'deployment_not_found');
  }
}
