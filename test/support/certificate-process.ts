/** One FlukeDeploy process as certificates see it: the service over a store, with everything of its own but the database. */
import { randomBytes } from 'node:crypto';
import { AesGcmSecrets } from '../../src/adapters/crypto/aes-gcm-secrets.js';
import type { Database } from '../../src/adapters/postgres/database.js';
import { PostgresCertificateStore } from '../../src/adapters/postgres/postgres-certificate-store.js';
import { PostgresAuditTrail } from '../../src/adapters/postgres/postgres-audit-trail.js';
import type { CertificateAuthority, EdgeSync } from '../../src/domain/edge-ports.js';
import { CertificateOptions } from '../../src/modules/certificates/certificate-options.js';
import { CertificateOrders } from '../../src/modules/certificates/certificate-orders.js';
import { CertificatesService } from '../../src/modules/certificates/certificates.service.js';
import { EdgeCertificates } from '../../src/modules/certificates/edge-certificates.js';
import { EdgeUpdates } from '../../src/modules/certificates/edge-updates.js';

/** All processes of a test have the same key, as they must. */
const SECRETS = new AesGcmSecrets(randomBytes(32));

export interface CertificateProcess {
  readonly store: PostgresCertificateStore;
  readonly service: CertificatesService;
}

export function certificateProcess(
  database: Database,
  authority: CertificateAuthority,
  {
    edge = { sync: async () => undefined },
    options = new CertificateOptions('https://test.invalid/dir', 'a@b.example'),
  }: {
    edge?: EdgeSync;
    options?: CertificateOptions;
  } = {},
): CertificateProcess {
  const store = new PostgresCertificateStore(database);
  const trail = new PostgresAuditTrail(database);
  const shown = new EdgeCertificates(store, SECRETS);
  const updates = new EdgeUpdates(edge);
  const orders = new CertificateOrders(store, authority, SECRETS, trail, updates, options);
  return { store, service: new CertificatesService(store, authority, SECRETS, orders, shown, updates, options) };
}
