/** The ports around the edge: the proxy itself, its probes and measurements, certificates and the authority that signs them. */
import type { Probes } from './delivery-ports.js';
import { DeployError, type ErrorCode } from './errors.js';
import type { Traffic } from './traffic.js';

/** A certificate as the edge serves it. */
export interface EdgeCertificate {
  /** Host names it is served for; a name may begin with `*.`. */
  readonly hosts: readonly string[];
  /** PEM, the whole chain. */
  readonly certificate: string;
  /** PEM, in clear: never logged, readable by the edge only. */
  readonly private_key: string;
}

/** What ACME's HTTP-01 wants to find at `/.well-known/acme-challenge/<token>` (RFC 8555 §8.3). */
export interface EdgeChallenge {
  readonly token: string;
  readonly key_authorization: string;
}

/** Everything that the edge serves. The configuration is a pure function of it. */
export interface EdgeState {
  readonly traffic: readonly Traffic[];
  readonly certificates: readonly EdgeCertificate[];
  readonly challenges: readonly EdgeChallenge[];
  /** FlukeDeploy's own API: its host name, and `address:port` as the edge reaches it. */
  readonly captain?: { readonly host: string; readonly upstream: string };
}

/** One request as the edge saw it. */
export interface RequestSample {
  /** ISO 8601. */
  readonly at: string;
  readonly version: 'stable' | 'canary';
  readonly status: number;
  /** Seconds until the last byte was sent. */
  readonly duration_ms: number;
}

export abstract class Edge {
  /** False where FlukeDeploy was told to run none: routes are kept, and nothing is applied. */
  abstract readonly enabled: boolean;
  /** Starts the edge where it is not running. @throws DeployError `edge_unavailable` */
  abstract ensure(): Promise<void>;
  /**
   * Checks the configuration, makes it the live one and waits until it serves; the one before is kept. No connection is lost.
   * @throws DeployError `edge_rejected` with nginx's words (the live one stays), `edge_unavailable`
   */
  abstract apply(state: EdgeState): Promise<'applied' | 'unchanged'>;
  /** Makes the configuration before the live one again; false where there is none. */
  abstract revert(): Promise<boolean>;
  /** How many connections the edge has open to these addresses: requests and WebSockets under way. */
  abstract openConnections(addresses: readonly string[]): Promise<number>;
  /**
   * Tells every request of the app since the time (ISO 8601) and from then on, until the signal aborts. Only while its traffic has
   * a canary are its requests recorded. Resolves when the signal aborts.
   */
  abstract observe(
    app: { readonly app_name: string; readonly environment: string },
    since: string,
    take: (sample: RequestSample) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /** Whether it answers. @throws DeployError `edge_unavailable` */
  abstract ping(): Promise<void>;
  /** How it reaches a program on the machine of this process; `undefined` where it cannot. */
  abstract machineAddress(): Promise<string | undefined>;
  /** Probes from the network position of the edge. */
  abstract readonly probes: Probes;
}

export interface CertificateOrder {
  readonly hosts: readonly string[];
}

export interface IssuedCertificate {
  readonly certificate: string;
  readonly private_key: string;
}

/** Where the answers to challenges are put; each change must serve before it resolves. */
export interface ChallengeBoard {
  publish(challenge: EdgeChallenge): Promise<void>;
  withdraw(challenge: EdgeChallenge): Promise<void>;
}

/** Why a certificate is taken back: the reasons that RFC 5280 knows and a subscriber may give. */
export const REVOCATION_REASONS = ['unspecified', 'key_compromise', 'superseded', 'cessation_of_operation'] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** What the authority says of one name of an order. */
export interface HostRefusal {
  readonly host: string;
  /** In its own words, with the type of the problem. */
  readonly message: string;
}

/** The order failed because of these names; without them it might not. */
export class OrderRefused extends DeployError {
  constructor(
    code: 'acme_failed' | 'acme_rate_limited',
    readonly refusals: readonly HostRefusal[],
    retryAfterSeconds?: number,
  ) {
    const words = refusals.map(({ host, message }) => `${host}: ${message}`);
    super(code, words.join(' · '), { evidence: words, ...(retryAfterSeconds !== undefined && { retryAfterSeconds }) });
  }
}

/** An ACME authority (RFC 8555). Its account key is the caller's to keep. */
export abstract class CertificateAuthority {
  abstract newAccountKey(): Promise<string>;
  /**
   * @throws OrderRefused when names are to blame; DeployError `acme_failed`, `acme_rate_limited`, `acme_unreachable`, in the
   * authority's own words
   */
  abstract issue(
    accountKey: string,
    order: CertificateOrder,
    board: ChallengeBoard,
    signal: AbortSignal,
  ): Promise<IssuedCertificate>;
  /** No error when it has been revoked before. */
  abstract revoke(accountKey: string, certificate: string, reason?: RevocationReason): Promise<void>;
}

/** Brings the edge up to date with traffic, certificates and challenges. */
export abstract class EdgeSync {
  /** Resolves once everything that was stored before the call is served. */
  abstract sync(): Promise<void>;
}

export type CertificateState = 'pending' | 'issued' | 'failed' | 'revoked';

/** A certificate and the promise to keep it fresh. One that works stays, whatever happens to its successor. */
export interface CertificateRecord {
  readonly id: string;
  readonly app_name: string;
  readonly environment: string;
  /** ACME: the names it shall be for, none when no one wants it any more. Own: the names it is for. Lower case. */
  readonly hosts: readonly string[];
  readonly origin: 'acme' | 'own';
  /** `issued` as long as there is one that works, even when its renewal fails. */
  readonly state: CertificateState;
  /** Split off for a name that failed: it is tried alone. */
  readonly alone: boolean;
  /** The certificate there is. */
  readonly issued?: StoredCertificate;
  /** Of the last attempt, when that failed. */
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  /** Failed ones in a row. */
  readonly attempts: number;
  /** ISO 8601 UTC: when it is ordered or renewed. */
  readonly next_attempt_at?: string;
  readonly created_at: string;
}

export interface StoredCertificate {
  /** The names it is for. */
  readonly hosts: readonly string[];
  /** PEM, leaf first. */
  readonly certificate: string;
  /** Sealed. */
  readonly private_key: string;
  /** ISO 8601 UTC, as all times. */
  readonly issued_at: string;
  readonly expires_at: string;
}

/** The right to order one certificate, until the lease runs out. */
export interface CertificateClaim {
  readonly record: CertificateRecord;
  readonly fence: number;
}

export interface CertificateFilter {
  readonly app_name?: string;
  readonly environment?: string;
  /** App names or patterns with `*` that the reader is limited to. */
  readonly apps?: readonly string[];
}

interface AppPlace {
  readonly app_name: string;
  readonly environment: string;
}

export interface CertificateWish extends AppPlace {
  readonly hosts: readonly string[];
}

/** Certificates, challenges and the account, for all processes. Private keys come and go sealed; only the database's clock counts. */
export abstract class CertificateStore {
  /** The sealed key of the account at this authority. */
  abstract accountKey(directory: string): Promise<string | undefined>;
  /** Keeps the first one; answers the one kept. */
  abstract keepAccountKey(directory: string, sealed: string): Promise<string>;

  abstract publish(challenge: EdgeChallenge): Promise<void>;
  abstract withdraw(challenge: EdgeChallenge): Promise<void>;
  /** Those of the last hour: what a killed process left behind is forgotten. */
  abstract challenges(): Promise<EdgeChallenge[]>;

  /**
   * Makes these, and no others, the names that the app wants certificates for; answers whether anything changed. A name for which
   * a certificate is still there takes that one, every other new one is due at once.
   */
  abstract want(place: AppPlace, hosts: readonly string[], newId: () => string): Promise<boolean>;
  /** The app, other than this one, that wants a certificate for one of the names. */
  abstract wantedByOther(place: AppPlace, hosts: readonly string[]): Promise<string | undefined>;
  /** Which app wants certificates for which names. */
  abstract wishes(): Promise<CertificateWish[]>;
  /** Takes the certificate that has been due longest and that nobody holds. */
  abstract claim(leaseMs: number): Promise<CertificateClaim | undefined>;
  /** False: the lease is lost, and nothing was written. So for all that end a claim. */
  abstract issued(claim: CertificateClaim, issued: StoredCertificate, renewAt: string): Promise<boolean>;
  abstract failed(claim: CertificateClaim, error: DeployError, waitMs: number): Promise<boolean>;
  /** Goes on without the refused names, at once; each of them is tried alone from now on, and keeps the certificate it has. */
  abstract split(claim: CertificateClaim, refused: OrderRefused, waitMs: number, newId: () => string): Promise<boolean>;
  /** Gives the claim back; nothing was tried. */
  abstract postpone(claim: CertificateClaim, waitMs: number): Promise<boolean>;

  /** Keeps an own certificate; those of the app that are for no other names than these make way. */
  abstract keepOwn(place: AppPlace, id: string, own: StoredCertificate): Promise<CertificateRecord>;
  /** Newest first. */
  abstract list(filter: CertificateFilter): Promise<CertificateRecord[]>;
  abstract find(id: string): Promise<CertificateRecord | undefined>;
  /** Those with a certificate that has not expired, newest first. */
  abstract live(): Promise<CertificateRecord[]>;
  /** Due at once; false when it is not there, or nobody wants it. */
  abstract hasten(id: string): Promise<boolean>;
  /** From now on it is neither served nor renewed; those that share it, since they were split, are due at once. */
  abstract revoked(id: string): Promise<void>;
  abstract remove(id: string): Promise<boolean>;
  /** Removes what has expired and nobody wants, and old challenges. */
  abstract prune(): Promise<void>;
}
