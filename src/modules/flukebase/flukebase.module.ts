/**
 * FlukeBase is told what becomes of deployments. Needs FlukeBaseStore, FlukeBaseOptions and AuditTrail from a global module; where
 * it is switched on, FlukeBase too.
 */
import { Module, type DynamicModule } from '@nestjs/common';
import { LogsModule } from '../logs/index.js';
import { FlukeBaseDelivery } from './flukebase-delivery.js';
import { FlukeBaseRounds } from './flukebase-rounds.js';
import { FlukeBaseUpstream } from './flukebase-upstream.js';
import { FlukeBaseController } from './flukebase.controller.js';
import { LaneWorker } from './lane-worker.js';
import { LogSender } from './log-sender.js';

@Module({})
export class FlukeBaseModule {
  /** The routes everywhere, the delivery where this process is a worker and FlukeBase is switched on. */
  static for(role: 'api' | 'worker'): DynamicModule {
    return {
      module: FlukeBaseModule,
      controllers: [FlukeBaseController],
      ...(role === 'worker' && {
        imports: [LogsModule],
        providers: [FlukeBaseUpstream, LogSender, LaneWorker, FlukeBaseDelivery, FlukeBaseRounds],
      }),
    };
  }
}
