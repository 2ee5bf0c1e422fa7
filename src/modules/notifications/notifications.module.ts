/**
 * Notifications: who is told how deployments ended. Needs NotificationStore, DeploymentStore and AuditTrail from a global
 * module; where it is a worker, WebhookSender too.
 */
import { Module, type DynamicModule } from '@nestjs/common';
import { LogsModule } from '../logs/index.js';
import { ConfiguredUses } from './configured-uses.js';
import { NotificationRounds } from './notification-rounds.js';
import { NotificationsController } from './notifications.controller.js';
import { Notifier } from './notifier.js';
import { NotifyUses } from './notify-uses.js';

@Module({})
export class NotificationsModule {
  /** The routes everywhere, the background work where this process is a worker. */
  static for(role: 'api' | 'worker'): DynamicModule {
    return {
      module: NotificationsModule,
      controllers: [NotificationsController],
      ...(role === 'worker' && {
        imports: [LogsModule],
        providers: [{ provide: NotifyUses, useClass: ConfiguredUses }, Notifier, NotificationRounds],
      }),
    };
  }
}
