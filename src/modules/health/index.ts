/** What other parts may use of the health checks. */
import { Module } from '@nestjs/common';
import { HealthController } from './health.controller.js';

export { Dependencies, type Dependency } from './health.controller.js';
export { DependencyView } from './health.view.js';

@Module({ controllers: [HealthController] })
export class HealthModule {}
