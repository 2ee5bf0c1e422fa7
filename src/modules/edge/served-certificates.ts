/** Where the edge's certificates come from: a port within the modules, so that the edge need not know about orders and renewals. */
import type { EdgeCertificate, EdgeChallenge } from '../../domain/ports.js';

export abstract class ServedCertificates {
  /** With clear private keys. */
  abstract served(): Promise<EdgeCertificate[]>;
  abstract challenges(): Promise<EdgeChallenge[]>;
}

export class NoCertificates extends ServedCertificates {
  override async served(): Promise<EdgeCertificate[]> {
    return [];
  }
  override async challenges(): Promise<EdgeChallenge[]> {
    return [];
  }
}
