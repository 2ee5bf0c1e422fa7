/** With whom certificates are ordered, and how long an order may take. */
const LEASE_MS = 300_000;

export class CertificateOptions {
  constructor(
    /** URL of the authority's directory. */
    readonly directory: string,
    /** The operator agrees to the authority's terms by giving it; without it nothing is ordered. */
    readonly email: string | undefined,
    /** After this long without an end an order is taken over by another process. */
    readonly lease_ms = LEASE_MS,
  ) {}

  get enabled(): boolean {
    return this.email !== undefined;
  }

  /** An order ends well before its lease does. */
  get order_ms(): number {
    return this.lease_ms * 0.8;
  }
}
