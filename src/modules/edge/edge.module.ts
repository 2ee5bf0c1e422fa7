/** The edge: what it serves, and that it does. */
import { Module } from '@nestjs/common';
import { EdgeKeeper } from './edge-keeper.js';
import { EdgeRouter } from './edge-router.js';
import { NoCertificates, ServedCertificates } from './served-certificates.js';

@Module({
  providers: [EdgeKeeper, EdgeRouter, { provide: ServedCertificates, useClass: NoCertificates }],
  exports: [EdgeRouter],
})
export class EdgeModule {}
