/** An authority over RFC 8555, such as Let's Encrypt: HTTP-01, ECDSA keys, several names per certificate. */
import { setTimeout as pause } from 'node:timers/promises';
import { Client, crypto, type Authorization, type Order } from 'acme-client';
import {
  CertificateAuthority,
  OrderRefused,
  type CertificateOrder,
  type ChallengeBoard,
  type EdgeChallenge,
  type HostRefusal,
  type IssuedCertificate,
  type RevocationReason,
} from '../../domain/edge-ports.js';
import { DeployError } from '../../domain/errors.js';
import { blamingHosts, readProblem, sayProblem, type AcmeProblem } from './acme-problem.js';
import { exchanging } from './acme-transport.js';

export interface AcmeOptions {
  /** URL of the directory. */
  readonly directory: string;
  /** For the authority's own messages about the account. */
  readonly email?: string | undefined;
  /** PEM of what the directory's own HTTPS is signed by, where the system does not know it. */
  readonly authorities?: string | undefined;
}

const FIRST_LOOK_MS = 250;
const SELDOM_LOOK_MS = 5_000;
const REVOKE_TIMEOUT_MS = 60_000;
/** RFC 5280 §5.3.1 */
const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  key_compromise: 1,
  superseded: 4,
  cessation_of_operation: 5,
};

export class AcmeCertificateAuthority extends CertificateAuthority {
  constructor(private readonly options: AcmeOptions) {
    super();
  }

  override async newAccountKey(): Promise<string> {
    return (await crypto.createPrivateEcdsaKey('P-256')).toString();
  }

  override async issue(
    accountKey: string,
    { hosts }: CertificateOrder,
    board: ChallengeBoard,
    signal: AbortSignal,
  ): Promise<IssuedCertificate> {
    refuseWildcards(hosts);
    try {
      return await this.#exchange(signal, async () => obtain(await this.#account(accountKey), hosts, board, signal));
    } catch (error) {
      throw blamingHosts(error, hosts);
    }
  }

  override async revoke(
    accountKey: string,
    certificate: string,
    reason: RevocationReason = 'unspecified',
  ): Promise<void> {
    const signal = AbortSignal.timeout(REVOKE_TIMEOUT_MS);
    try {
      await this.#exchange(signal, async () => {
        const client = await this.#account(accountKey);
        const request = { reason: REASON_CODES[reason] };
        await client.revokeCertificate(certificate, request);
      });
    } catch (error) {
      if (signal.aborted) throw new DeployError('acme_unreachable', undefined, { cause: error });
      if (!isProblem(error, 'alreadyRevoked')) throw error;
    }
  }

  /** Looked up first: telling an authority again what it knows counts as an empty update, and is refused. */
  async #account(accountKey: string): Promise<Client> {
    const { directory, email } = this.options;
    const client = new Client({ directoryUrl: directory, accountKey });
    try {
      await client.createAccount({ onlyReturnExisting: true });
    } catch (error) {
      if (!isProblem(error, 'accountDoesNotExist')) throw error;
      const contact = email === undefined ? {} : { contact: [`mailto:${email}`] };
      await client.createAccount({ termsOfServiceAgreed: true, ...contact });
    }
    return client;
  }

  async #exchange<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result> {
    try {
      return await exchanging({ signal, authorities: this.options.authorities }, work);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof DeployError) throw error;
      // What acme-client itself makes of an answer that it does not understand.
      throw new DeployError(
        'acme_failed',
        `The certificate authority cannot be understood: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }
}

/** From the order to the signature. */
async function obtain(
  client: Client,
  hosts: readonly string[],
  board: ChallengeBoard,
  signal: AbortSignal,
): Promise<IssuedCertificate> {
  const order = await client.createOrder({ identifiers: hosts.map((value) => ({ type: 'dns', value })) });
  await authorize(client, order, board, signal);
  const [key, request] = await crypto.createCsr({ altNames: [...hosts] }, await crypto.createPrivateEcdsaKey('P-256'));
  const ready = await untilNot(['pending'], () => client.getOrder(order), signal);
  if (ready.status === 'ready') await client.finalizeOrder(order, request);
  const signed = await untilNot(['ready', 'processing'], () => client.getOrder(order), signal);
  if (signed.status !== 'valid') throw orderFailure(signed);
  return { certificate: await client.getCertificate(signed), private_key: key.toString() };
}

/** Proves every name that the authority does not know to be ours already. */
async function authorize(client: Client, order: Order, board: ChallengeBoard, signal: AbortSignal): Promise<void> {
  const published: EdgeChallenge[] = [];
  try {
    const pending = (await client.getAuthorizations(order)).filter(({ status }) => status === 'pending');
    const challenges = await Promise.all(
      pending.map(async ({ identifier, challenges: offered }) => {
        const challenge = offered.find(({ type }) => type === 'http-01');
        if (challenge === undefined) throw refusedHost(identifier.value, 'The authority does not offer HTTP-01.');
        published.push({
          token: challenge.token,
          key_authorization: await client.getChallengeKeyAuthorization(challenge),
        });
        return challenge;
      }),
    );
    await Promise.all(published.map((challenge) => board.publish(challenge)));
    // One after the other would let a slow name hold up the others.
    await Promise.all(challenges.map((challenge) => client.completeChallenge(challenge)));
    await allProven(client, order, signal);
  } finally {
    await Promise.allSettled(published.map((challenge) => board.withdraw(challenge)));
  }
}

/** Waits for all of them, so that one order tells every name that fails. */
async function allProven(client: Client, order: Order, signal: AbortSignal): Promise<void> {
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, SELDOM_LOOK_MS)) {
    const authorizations = await client.getAuthorizations(order);
    if (authorizations.every(({ status }) => status !== 'pending')) {
      const refusals = authorizations.filter(({ status }) => status !== 'valid').map(refusalOf);
      if (refusals.length === 0) return;
      throw new OrderRefused(refusals.every(isRateLimit) ? 'acme_rate_limited' : 'acme_failed', refusals);
    }
    await pause(wait, undefined, { signal });
  }
}

async function untilNot(
  statuses: readonly Order['status'][],
  look: () => Promise<Order>,
  signal: AbortSignal,
): Promise<Order> {
  for (let wait = FIRST_LOOK_MS; ; wait = Math.min(wait * 1.5, SELDOM_LOOK_MS)) {
    const order = await look();
    if (!statuses.includes(order.status)) return order;
    await pause(wait, undefined, { signal });
  }
}

function refusalOf({ identifier, status, challenges }: Authorization): HostRefusal {
  const problem = challenges.map(({ error }) => readProblem(error)).find((each) => each !== undefined);
  return { host: identifier.value, message: problem ? sayProblem(problem) : `The authorization is ${status}.` };
}

function isProblem(error: unknown, type: string): boolean {
  return error instanceof DeployError && (error.cause as AcmeProblem | undefined)?.type === type;
}

function isRateLimit({ message }: HostRefusal): boolean {
  return message.endsWith('(rateLimited)');
}

function orderFailure({ status, error }: Order): DeployError {
  const problem = readProblem(error);
  return new DeployError('acme_failed', problem ? sayProblem(problem) : `The order is ${status}.`);
}

function refuseWildcards(hosts: readonly string[]): void {
  const wildcards = hosts.filter((host) => host.startsWith('*'));
  if (wildcards.length === 0) return;
  const message = 'A name with * can only be proven over DNS. Upload a certificate for it.';
  throw new OrderRefused(
    'acme_failed',
    wildcards.map((host) => ({ host, message })),
  );
}

function refusedHost(host: string, message: string): OrderRefused {
  return new OrderRefused('acme_failed', [{ host, message }]);
}
