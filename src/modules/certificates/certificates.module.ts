/**
 * Certificates: ordered, renewed, uploaded, revoked. Needs CertificateStore, CertificateAuthority, EdgeSync, Secrets, AuditTrail,
 * DeploymentStore and CertificateOptions from a global module.
 */
import { Module, type DynamicModule } from '@nestjs/common';
import { CertificateOrders } from './certificate-orders.js';
import { CertificateRounds } from './certificate-rounds.js';
import { CertificatesController } from './certificates.controller.js';
import { CertificatesService } from './certificates.service.js';
import { EdgeCertificatesModule } from './edge-certificates.js';
import { EdgeUpdates } from './edge-updates.js';

@Module({})
export class CertificatesModule {
  /** The routes everywhere, the background work where this process is a worker. */
  static for(role: 'api' | 'worker'): DynamicModule {
    const services = [CertificatesService, CertificateOrders, EdgeUpdates];
    return {
      module: CertificatesModule,
      imports: [EdgeCertificatesModule],
      controllers: [CertificatesController],
      providers: role === 'worker' ? [...services, CertificateRounds] : services,
      exports: [CertificatesService],
    };
  }
}
