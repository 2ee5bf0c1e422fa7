/** Certificates as files of the edge, and which one a host name gets. */
import type { EdgeCertificate } from '../../domain/edge-ports.js';
import { CERTIFICATE_FOLDER, EDGE_FOLDER } from './edge-paths.js';
import { hostName, inOrder, sha256 } from './edge-values.js';

export interface CertificateFile {
  /** Absolute path in the edge's container. Its name is the hash of what is in it. */
  readonly file: string;
  readonly hosts: readonly string[];
  /** Chain and key, in one file so that they can only change together. Never logged. */
  readonly pem: string;
}

/** In the order of their names, the same for equal certificates. */
export function certificateFiles(certificates: readonly EdgeCertificate[]): CertificateFile[] {
  return certificates
    .map(({ hosts, certificate, private_key }) => ({
      file: `${EDGE_FOLDER}/${CERTIFICATE_FOLDER}/${sha256(certificate, private_key)}.pem`,
      hosts: inOrder(hosts.map(hostName)),
      pem: `${certificate.trim()}\n${private_key.trim()}\n`,
    }))
    .sort((one, other) => (one.file < other.file ? -1 : 1));
}

/** One for exactly this name comes before one for `*.` and the rest of it. */
export function certificateFor(host: string, files: readonly CertificateFile[]): CertificateFile | undefined {
  const wildcard = host.replace(/^[^.]+/, '*');
  return files.find(({ hosts }) => hosts.includes(host)) ?? files.find(({ hosts }) => hosts.includes(wildcard));
}
