/** The edge: what it serves, and that it does. Global, because certificates must reach it and it must reach certificates. */
import { Global, Module } from '@nestjs/common';
import { EdgeSync } from '../../domain/ports.js';
import { EdgeCertificatesModule } from '../certificates/index.js';
import { Captain } from './captain.js';
import { EdgeKeeper } from './edge-keeper.js';
import { EdgeRouter } from './edge-router.js';

@Global()
@Module({
  imports: [EdgeCertificatesModule],
  providers: [Captain, EdgeKeeper, EdgeRouter, { provide: EdgeSync, useExisting: EdgeRouter }],
  exports: [EdgeRouter, EdgeSync],
})
export class EdgeModule {}
