/** What other parts may use of the certificates. */
export { CaptainName } from './captain-name.js';
export { CertificateOptions } from './certificate-options.js';
export { CertificatesModule } from './certificates.module.js';
export { CertificatesService } from './certificates.service.js';
export { EdgeCertificates, EdgeCertificatesModule } from './edge-certificates.js';
