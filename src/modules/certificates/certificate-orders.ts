/** Orders what is due: one process at a time has a certificate in its hands, and one that works is never given up. */
import { Injectable, Logger } from '@nestjs/common';
import { X509Certificate } from 'node:crypto';
import { ulid } from 'ulid';
import { DeployError } from '../../domain/errors.js';
import {
  AuditTrail,
  CertificateAuthority,
  CertificateStore,
  OrderRefused,
  Secrets,
  type AuditOutcome,
  type CertificateClaim,
  type CertificateRecord,
  type ChallengeBoard,
  type IssuedCertificate,
  type StoredCertificate,
} from '../../domain/ports.js';
import { CertificateOptions } from './certificate-options.js';
import { backoffMs, renewalTime } from './certificate-schedule.js';
import { keyContext } from './edge-certificates.js';
import { EdgeUpdates } from './edge-updates.js';
import { covers } from './own-certificate.js';

/** An authority that is slow with one app must not hold up the others. */
const AT_ONCE = 4;
/** Where an own certificate serves all names, it is seen again after this long whether it still does. */
const COVERED_MS = 3_600_000;

@Injectable()
export class CertificateOrders {
  readonly #logger = new Logger('Certificates');

  constructor(
    private readonly store: CertificateStore,
    private readonly authority: CertificateAuthority,
    private readonly secrets: Secrets,
    private readonly trail: AuditTrail,
    private readonly edge: EdgeUpdates,
    private readonly options: CertificateOptions,
  ) {}

  /** Until nothing is due any more. */
  async work(signal: AbortSignal): Promise<void> {
    if (!this.options.enabled) return;
    const hands = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => this.#workOneByOne(signal)));
    for (const hand of hands) if (hand.status === 'rejected') throw hand.reason;
  }

  async #workOneByOne(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const claim = await this.store.claim(this.options.lease_ms);
      if (claim === undefined) return;
      await this.#order(claim, signal);
    }
  }

  async #order(claim: CertificateClaim, signal: AbortSignal): Promise<void> {
    const over = AbortSignal.any([signal, AbortSignal.timeout(this.options.order_ms)]);
    try {
      if (await this.#isCovered(claim.record)) {
        await this.store.postpone(claim, COVERED_MS);
        return;
      }
      const key = await this.accountKey();
      await this.#keep(claim, await this.authority.issue(key, claim.record, this.#board, over));
    } catch (error) {
      if (signal.aborted) await this.store.postpone(claim, 0);
      else await this.#fail(claim, over.aborted ? this.#tooSlow() : this.#told(error));
    }
  }

  /** Sealed in the store; whoever comes first makes it. */
  async accountKey(): Promise<string> {
    const { directory } = this.options;
    const context = `acme/account/${directory}`;
    const sealed =
      (await this.store.accountKey(directory)) ??
      (await this.store.keepAccountKey(directory, this.secrets.seal(await this.authority.newAccountKey(), context)));
    return this.secrets.open(sealed, context);
  }

  readonly #board: ChallengeBoard = {
    publish: async (challenge) => {
      await this.store.publish(challenge);
      await this.edge.served();
    },
    withdraw: async (challenge) => {
      await this.store.withdraw(challenge);
      await this.edge.tell();
    },
  };

  async #isCovered({ app_name, environment, hosts }: CertificateRecord): Promise<boolean> {
    const now = new Date().toISOString();
    const names = (await this.store.list({ app_name, environment }))
      .filter(({ origin, issued }) => origin === 'own' && issued !== undefined && issued.expires_at > now)
      .flatMap((own) => own.hosts);
    return hosts.every((host) => names.some((name) => covers(name, host)));
  }

  async #keep(claim: CertificateClaim, { certificate, private_key }: IssuedCertificate): Promise<void> {
    const { record } = claim;
    const leaf = new X509Certificate(certificate);
    const issued: StoredCertificate = {
      hosts: record.hosts,
      certificate,
      private_key: this.secrets.seal(private_key, keyContext(record)),
      issued_at: leaf.validFromDate.toISOString(),
      expires_at: leaf.validToDate.toISOString(),
    };
    const renewAt = renewalTime(issued.issued_at, issued.expires_at, Math.random());
    if (!(await this.store.issued(claim, issued, renewAt))) {
      this.#logger.warn(`A certificate for ${nameOf(record)} came after its turn and is not used.`);
      return;
    }
    this.#logger.log(
      `${record.issued ? 'Renewed' : 'Issued'} the certificate for ${nameOf(record)}, until ${issued.expires_at}`,
    );
    await this.#audit(record, record.issued ? 'certificate.renew' : 'certificate.issue', 'succeeded');
    await this.edge.tell();
  }

  async #fail(claim: CertificateClaim, error: DeployError): Promise<void> {
    const { record } = claim;
    const refused = error instanceof OrderRefused ? refusedHosts(record, error) : [];
    const isPartial = refused.length > 0 && refused.length < record.hosts.length;
    const failures = isPartial ? 1 : record.attempts + 1;
    const waitMs = backoffMs(failures, error.retryAfterSeconds, Math.random());
    const minutes = Math.ceil(waitMs / 60_000);
    this.#logger.warn(
      `No certificate for ${isPartial ? refused.join(', ') : nameOf(record)}: ${error.message} [${error.code}]; tried again in ${minutes} min`,
    );
    // Alone they cannot keep the others from theirs.
    if (isPartial && error instanceof OrderRefused) await this.store.split(claim, error, waitMs, newCertificateId);
    else await this.store.failed(claim, error, waitMs);
    await this.#audit(record, 'certificate.issue', error.code);
  }

  #tooSlow(): DeployError {
    return new DeployError('acme_unreachable', `The order took longer than ${this.options.order_ms / 1000} seconds.`);
  }

  #told(error: unknown): DeployError {
    if (error instanceof DeployError) return error;
    this.#logger.error(error instanceof Error ? error.stack : String(error));
    return new DeployError('internal', undefined, { cause: error });
  }

  async #audit({ id }: CertificateRecord, action: string, outcome: AuditOutcome): Promise<void> {
    const actor = { kind: 'system', name: 'flukedeploy' } as const;
    await this.trail.audit({ at: new Date().toISOString(), actor, action, target: id, outcome });
  }
}

export function newCertificateId(): string {
  return `cert-${ulid().toLowerCase()}`;
}

function refusedHosts({ hosts }: CertificateRecord, { refusals }: OrderRefused): string[] {
  const names = new Set(refusals.map(({ host }) => host));
  return hosts.filter((host) => names.has(host));
}

function nameOf({ app_name, environment, hosts }: CertificateRecord): string {
  return `${hosts.join(', ')} (${app_name}/${environment})`;
}
