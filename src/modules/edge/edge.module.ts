/** The edge: what it serves, and that it does. */
import { Module } from '@nestjs/common';
import { EdgeKeeper } from './edge-keeper.js';
import { CaptainAddress, EdgeRouter } from './edge-router.js';
import { NoCertificates, ServedCertificates } from './served-certificates.js';

@Module({
  providers: [EdgeKeeper, EdgeRouter, CaptainAddress, { provide: ServedCertificates, useClass: NoCertificates }],
  exports: [EdgeRouter, CaptainAddress],
})
export class EdgeModule {}
