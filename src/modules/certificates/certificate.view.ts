/** A certificate as the API shows it: all that is public, and nothing else. */
import { X509Certificate } from 'node:crypto';
import { ApiPropertyOptional } from '@nestjs/swagger';
import type { ErrorCode } from '../../domain/errors.js';
import type { CertificateRecord, CertificateState } from '../../domain/ports.js';

export class CertificateErrorView {
  /** From the table at `/problems`. */
  code!: ErrorCode;
  /** In the authority's own words. */
  message!: string;
}

export class CertificateView {
  id!: string;
  app_name!: string;
  environment!: string;
  /** `acme`: ordered here; `own`: uploaded. */
  origin!: 'acme' | 'own';
  /** `issued` as long as there is one that works, even when its renewal fails. */
  state!: CertificateState;
  /** The names that it shall be for; none: nobody wants it any more, and it is not renewed. */
  hosts!: string[];
  /** The names that the certificate there is is for. */
  @ApiPropertyOptional({ type: [String] })
  issued_hosts?: readonly string[];
  /** Who signed it. */
  issuer?: string;
  /** Hexadecimal. */
  serial_number?: string;
  /** SHA-256 of the certificate. */
  fingerprint?: string;
  /** ISO 8601 UTC, as all times. */
  issued_at?: string;
  expires_at?: string;
  /** Why the last attempt failed. */
  error?: CertificateErrorView;
  /** Failed attempts in a row. */
  attempts!: number;
  /** When it is ordered or renewed. */
  next_attempt_at?: string;
  created_at!: string;
}

export class CertificateListView {
  certificates!: CertificateView[];
}

export function certificateView(record: CertificateRecord): CertificateView {
  const { id, app_name, environment, origin, state, hosts, issued, error, attempts, next_attempt_at, created_at } =
    record;
  return {
    id,
    app_name,
    environment,
    origin,
    state,
    hosts: [...hosts],
    ...(issued && {
      issued_hosts: issued.hosts,
      ...describe(issued.certificate),
      issued_at: issued.issued_at,
      expires_at: issued.expires_at,
    }),
    ...(error && { error }),
    attempts,
    ...(origin === 'acme' && hosts.length > 0 && next_attempt_at && { next_attempt_at }),
    created_at,
  };
}

function describe(pem: string): Pick<Required<CertificateView>, 'issuer' | 'serial_number' | 'fingerprint'> {
  const { issuer, serialNumber, fingerprint256 } = new X509Certificate(pem);
  return { issuer: issuer.replaceAll('\n', ', '), serial_number: serialNumber, fingerprint: fingerprint256 };
}
