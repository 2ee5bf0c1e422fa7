/** What the edge shall serve: private keys in clear leave the store here only. */
import { Injectable, Logger, Module } from '@nestjs/common';
import {
  CertificateStore,
  Secrets,
  type CertificateRecord,
  type CertificateWish,
  type EdgeCertificate,
  type EdgeChallenge,
} from '../../domain/ports.js';

/** What a sealed private key is bound to: it cannot be moved to another app. */
export function keyContext({ app_name, environment }: Pick<CertificateRecord, 'app_name' | 'environment'>): string {
  return `${app_name}/${environment}/certificate`;
}

@Injectable()
export class EdgeCertificates {
  readonly #logger = new Logger(EdgeCertificates.name);

  constructor(
    private readonly store: CertificateStore,
    private readonly secrets: Secrets,
  ) {}

  challenges(): Promise<EdgeChallenge[]> {
    return this.store.challenges();
  }

  /** Each host stands in one certificate only: the best there is for it. */
  async served(): Promise<EdgeCertificate[]> {
    const [live, wishes] = await Promise.all([this.store.live(), this.store.wishes()]);
    return chooseCertificates(live, wishes).flatMap(({ record, hosts }) => {
      const opened = this.#open(record);
      return opened ? [{ ...opened, hosts }] : [];
    });
  }

  /** One key that does not open must not take all other hosts away. */
  #open(record: CertificateRecord): Omit<EdgeCertificate, 'hosts'> | undefined {
    if (record.issued === undefined) return undefined;
    const { certificate, private_key } = record.issued;
    try {
      return { certificate, private_key: this.secrets.open(private_key, keyContext(record)) };
    } catch {
      this.#logger.error(`The key of certificate ${record.id} was sealed under another FLUKEDEPLOY_SECRET_KEY.`);
      return undefined;
    }
  }
}

interface Choice {
  readonly record: CertificateRecord;
  readonly hosts: readonly string[];
}

/**
 * Own ones before those of the authority, then the newest. For a name that an app wants, only that app's certificates count:
 * others may upload what they like.
 * @param live newest first
 */
export function chooseCertificates(live: readonly CertificateRecord[], wishes: readonly CertificateWish[]): Choice[] {
  const owners = new Map(wishes.flatMap((wish) => wish.hosts.map((host) => [host, keyContext(wish)])));
  const taken = new Set<string>();
  const ranked = [...live.filter(({ origin }) => origin === 'own'), ...live.filter(({ origin }) => origin === 'acme')];
  return ranked.flatMap((record) => {
    const hosts = (record.issued?.hosts ?? []).filter((host) => {
      const owner = owners.get(host);
      if (taken.has(host) || (owner !== undefined && owner !== keyContext(record))) return false;
      taken.add(host);
      return true;
    });
    return hosts.length > 0 ? [{ record, hosts }] : [];
  });
}

/** Apart from the rest, so that who serves certificates can be who the rest calls. Needs a CertificateStore and Secrets. */
@Module({ providers: [EdgeCertificates], exports: [EdgeCertificates] })
export class EdgeCertificatesModule {}
