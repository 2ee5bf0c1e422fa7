/** Rows of certificates, as records and back. */
import type { CertificateRecord, CertificateState, StoredCertificate } from '../../domain/edge-ports.js';
import type { ErrorCode } from '../../domain/errors.js';

export interface CertificateRow {
  readonly id: string;
  readonly app_name: string;
  readonly environment: string;
  readonly hosts: string[];
  readonly origin: 'acme' | 'own';
  readonly state: CertificateState;
  readonly alone: boolean;
  readonly issued_hosts: string[] | null;
  readonly certificate: string | null;
  readonly sealed_key: string | null;
  readonly issued_at: Date | null;
  readonly expires_at: Date | null;
  readonly error_code: ErrorCode | null;
  readonly error_message: string | null;
  readonly attempts: number;
  readonly next_attempt_at: Date | null;
  /** bigint, which comes as text. */
  readonly fence: string;
  readonly created_at: Date;
}

export function toCertificateRecord(row: CertificateRow): CertificateRecord {
  const { id, app_name, environment, hosts, origin, state, alone, attempts, error_code, error_message } = row;
  const issued = storedOf(row);
  return {
    id,
    app_name,
    environment,
    hosts,
    origin,
    state,
    alone,
    ...(issued && { issued }),
    ...(error_code !== null && { error: { code: error_code, message: error_message ?? '' } }),
    attempts,
    ...(row.next_attempt_at && { next_attempt_at: row.next_attempt_at.toISOString() }),
    created_at: row.created_at.toISOString(),
  };
}

/** In the order of the columns issued_hosts, certificate, sealed_key, issued_at, expires_at. */
export function storedValues(stored: StoredCertificate | undefined): unknown[] {
  if (stored === undefined) return [null, null, null, null, null];
  return [stored.hosts, stored.certificate, stored.private_key, stored.issued_at, stored.expires_at];
}

function storedOf(row: CertificateRow): StoredCertificate | undefined {
  const { issued_hosts, certificate, sealed_key, issued_at, expires_at } = row;
  if (!issued_hosts || certificate === null || sealed_key === null || !issued_at || !expires_at) return undefined;
  return {
    hosts: issued_hosts,
    certificate,
    private_key: sealed_key,
    issued_at: issued_at.toISOString(),
    expires_at: expires_at.toISOString(),
  };
}
