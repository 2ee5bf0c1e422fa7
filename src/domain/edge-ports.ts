/** The ports around the edge: the proxy itself, its probes and measurements, certificates and the authority that signs them. */
import type { Probes } from './delivery-ports.js';
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

/** An ACME authority (RFC 8555). Its account key is the caller's to keep. */
export abstract class CertificateAuthority {
  abstract newAccountKey(): Promise<string>;
  /** @throws DeployError `acme_failed`, `acme_rate_limited`, `acme_unreachable`, in the authority's own words */
  abstract issue(
    accountKey: string,
    order: CertificateOrder,
    board: ChallengeBoard,
    signal: AbortSignal,
  ): Promise<IssuedCertificate>;
  abstract revoke(accountKey: string, certificate: string): Promise<void>;
}
