/** What apps, people and the edge want of certificates: declare, look, upload, renew, revoke. */
import { Injectable, Logger } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import {
  CertificateAuthority,
  CertificateStore,
  Secrets,
  type CertificateFilter,
  type CertificateRecord,
  type EdgeCertificate,
  type EdgeChallenge,
  type RevocationReason,
} from '../../domain/ports.js';
import { CertificateOptions } from './certificate-options.js';
import { CertificateOrders, newCertificateId } from './certificate-orders.js';
import { EdgeCertificates, keyContext } from './edge-certificates.js';
import { EdgeUpdates } from './edge-updates.js';
import { readOwnCertificate, type OwnCertificateOrder } from './own-certificate.js';

const PRUNE_EVERY_MS = 600_000;

type Place = Pick<CertificateRecord, 'app_name' | 'environment'>;

@Injectable()
export class CertificatesService {
  readonly #logger = new Logger('Certificates');
  #prunedAt = -Infinity;

  constructor(
    private readonly store: CertificateStore,
    private readonly authority: CertificateAuthority,
    private readonly secrets: Secrets,
    private readonly orders: CertificateOrders,
    private readonly shown: EdgeCertificates,
    private readonly edge: EdgeUpdates,
    private readonly options: CertificateOptions,
  ) {}

  /** Exactly these hosts of the app want certificates from now on. Cheap to repeat; what is missing is ordered in the background. */
  async wanted(appName: string, environment: string, hosts: readonly string[]): Promise<void> {
    const names = [...new Set(hosts.map((host) => host.toLowerCase()))];
    const changed = await this.store.want({ app_name: appName, environment }, names, newCertificateId);
    if (changed) this.#logger.log(`${appName}/${environment} wants certificates for ${names.join(', ') || 'nothing'}`);
  }

  /** The background work of one moment; ends when nothing is due any more. */
  async round(signal: AbortSignal = new AbortController().signal): Promise<void> {
    await this.edge.catchUp();
    await this.orders.work(signal);
    if (performance.now() - this.#prunedAt < PRUNE_EVERY_MS) return;
    this.#prunedAt = performance.now();
    await this.store.prune();
  }

  served(): Promise<EdgeCertificate[]> {
    return this.shown.served();
  }

  challenges(): Promise<EdgeChallenge[]> {
    return this.shown.challenges();
  }

  list(filter: CertificateFilter): Promise<CertificateRecord[]> {
    return this.store.list(filter);
  }

  /** @throws DeployError `certificate_not_found` */
  async find(id: string): Promise<CertificateRecord> {
    const record = await this.store.find(id);
    if (record === undefined) throw new DeployError('certificate_not_found');
    return record;
  }

  /** @throws DeployError `certificate_invalid` naming the field, `domain_taken` */
  async upload(place: Place, order: OwnCertificateOrder): Promise<CertificateRecord> {
    const { private_key, ...own } = readOwnCertificate(order, Date.now());
    if ((await this.store.wantedByOther(place, own.hosts)) !== undefined) {
      const message = 'is for a host name that belongs to another app';
      throw new DeployError('domain_taken', `certificate: ${message}`, { fields: [{ path: 'certificate', message }] });
    }
    const sealed = this.secrets.seal(private_key, keyContext(place));
    const record = await this.store.keepOwn(place, newCertificateId(), { ...own, private_key: sealed });
    await this.edge.tell();
    return record;
  }

  /** Orders it anew, in the background. @throws DeployError `acme_disabled`, `certificate_not_renewable` */
  async renew({ id, origin }: CertificateRecord): Promise<CertificateRecord> {
    if (origin === 'own') {
      throw new DeployError('certificate_not_renewable', 'It was uploaded; upload the next one in the same way.');
    }
    if (!this.options.enabled) throw new DeployError('acme_disabled');
    if (!(await this.store.hasten(id))) {
      throw new DeployError('certificate_not_renewable', 'No app wants a certificate for its names any more.');
    }
    return this.find(id);
  }

  /** One of the authority is revoked there first; when that cannot be done, nothing changes. */
  async remove(record: CertificateRecord, reason: RevocationReason): Promise<void> {
    const { issued, origin, state, id } = record;
    const isTrusted = issued !== undefined && Date.parse(issued.expires_at) > Date.now() && state !== 'revoked';
    if (origin === 'acme' && isTrusted) {
      await this.authority.revoke(await this.orders.accountKey(), issued.certificate, reason);
      await this.store.revoked(id);
      this.#logger.log(`Revoked the certificate for ${issued.hosts.join(', ')}: ${reason}`);
    }
    await this.store.remove(id);
    await this.edge.tell();
  }
}
