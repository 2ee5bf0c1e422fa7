/** The alarm clock: the queue, the worker where this process is one, and the reconciler everywhere. */
import { Module, type DynamicModule } from '@nestjs/common';
import { DeploymentsModule } from '../modules/deployments/index.js';
import { PhaseWorker } from './phase.worker.js';
import { Recovery } from './recovery.js';

@Module({})
export class QueueModule {
  static for(role: 'api' | 'worker'): DynamicModule {
    return {
      module: QueueModule,
      imports: [DeploymentsModule],
      providers: role === 'worker' ? [PhaseWorker, Recovery] : [Recovery],
    };
  }
}
