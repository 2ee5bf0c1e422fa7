/**
 * A stand-in for FlukeBase, which no test can reach: a real HTTPS server with a certificate of its own that keeps to the contract,
 * holds what it was sent, and fails in every way that a service far away can fail.
 *
 *     const flukebase = await FlukeBase.start();
 *     // FLUKEBASE_API_URL = flukebase.url, FLUKEBASE_API_TOKEN = flukebase.token, FLUKEBASE_CA_FILE = flukebase.caFile
 *     flukebase.faults.order({ kind: 'cut_applied' }, { times: 1, route: /batch/ });
 *     flukebase.held.deployments.get(id)?.entries;
 */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { z } from 'zod';
import { BODIES, type SyncedEntry } from './flukebase-bodies.ts';
import { FlukeBaseFaults, type Fault } from './flukebase-faults.ts';
import { FlukeBaseLedger, refusal, type Reply } from './flukebase-ledger.ts';
import { makeCertificate, type KeyPair } from './test-certificates.ts';

const BASE_PATH = '/api/v1';
const CONNECT = `${BASE_PATH}/flukebase_connect`;

export interface FlukeBaseRequest {
  readonly method: string;
  readonly path: string;
  /** Without Authorization. */
  readonly headers: IncomingHttpHeaders;
  readonly token: 'right' | 'wrong' | 'missing';
  /** Empty where it was not read. */
  readonly body: string;
  /** Its status, or why the client got none. */
  readonly answer: number | 'cut' | 'silent';
}

export interface FlukeBaseOptions {
  readonly token?: string;
  /** False: it forgets what it was asked, for long loads. */
  readonly keeps_requests?: boolean;
}

export class FlukeBase {
  readonly held = new FlukeBaseLedger();
  readonly faults = new FlukeBaseFaults();
  /** In the order in which they ended. */
  readonly requests: FlukeBaseRequest[] = [];
  /** The one that is accepted: another one makes it refuse those who know only the old one. */
  token: string;
  /** A larger body gets 413. */
  largest_body = Infinity;
  /** False: there is no such route, 404. */
  has_batches = true;
  /** Whatever body has an entry of this kind in it gets 422. */
  is_poison: (entry: SyncedEntry) => boolean = () => false;
  /** An entry of this kind is never taken now: alone it gets 503, of a batch all others are taken. */
  is_stuck: (entry: SyncedEntry) => boolean = () => false;
  /** How many requests have come, those that are not kept included. */
  asked = 0;
  readonly caFile: string;
  readonly #certificate: KeyPair;
  readonly #folder: string;
  readonly #keepsRequests: boolean;
  #server: Server | undefined;
  #port = 0;

  private constructor(folder: string, certificate: KeyPair, options: FlukeBaseOptions) {
    this.#folder = folder;
    this.#certificate = certificate;
    this.caFile = join(folder, 'authority.pem');
    this.token = options.token ?? 'fbk_stand-in-0f5d2c9a7e31';
    this.#keepsRequests = options.keeps_requests ?? true;
  }

  static async start(options: FlukeBaseOptions = {}): Promise<FlukeBase> {
    const authority = await makeCertificate({ authority: true });
    const certificate = await makeCertificate({ names: ['IP:127.0.0.1', 'DNS:localhost'], issuer: authority });
    const flukebase = new FlukeBase(await mkdtemp(join(tmpdir(), 'flukebase-')), certificate, options);
    await writeFile(flukebase.caFile, authority.certificate);
    await flukebase.comeBack();
    return flukebase;
  }

  /** As FLUKEBASE_API_URL. */
  get url(): string {
    return `https://127.0.0.1:${this.#port}${BASE_PATH}`;
  }

  /** What a FlukeDeploy process needs to sync with it. */
  get environment(): Readonly<Record<string, string>> {
    return { FLUKEBASE_API_URL: this.url, FLUKEBASE_API_TOKEN: this.token, FLUKEBASE_CA_FILE: this.caFile };
  }

  /** Nobody listens any more, and every connection ends. */
  async goAway(): Promise<void> {
    if (this.#server === undefined) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    this.#server = undefined;
    await closed;
  }

  /** Listens again, at the port of before, with all that it holds. */
  async comeBack(): Promise<void> {
    const { certificate: cert, private_key: key } = this.#certificate;
    this.#server = createServer({ cert, key }, (request, response) => void this.#serve(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    await this.goAway();
    await rm(this.#folder, { recursive: true });
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    this.asked++;
    const { method = '', url: path = '' } = incoming;
    const fault = this.faults.next(`${method} ${path}`);
    const keep = (body: string, answer: FlukeBaseRequest['answer']): void => {
      if (!this.#keepsRequests) return;
      const { authorization, ...headers } = incoming.headers;
      const token = authorization === undefined ? 'missing' : this.#isRight(authorization) ? 'right' : 'wrong';
      this.requests.push({ method, path, headers, token, body, answer });
    };
    if (fault?.kind === 'cut_unread') {
      keep('', 'cut');
      incoming.socket.destroy();
      return;
    }
    const body = (await buffer(incoming).catch(() => undefined))?.toString();
    if (body === undefined) return; // the client has gone
    const reply = this.#replyTo(incoming, body, fault);
    keep(body, fault?.kind === 'cut_applied' ? 'cut' : fault?.kind === 'silent' ? 'silent' : reply.status);
    send(response, reply, fault);
  }

  #replyTo({ method = '', url = '', headers }: IncomingMessage, body: string, fault: Fault | undefined): Reply {
    if (fault?.kind === 'status') return refusal(fault.status, 'fault', 'as the test has ordered');
    if (fault?.kind === 'redirect') return refusal(307, 'moved', 'somewhere else');
    if (!this.#isRight(headers.authorization)) return refusal(401, 'unauthorized', 'Invalid or expired API token');
    if (Buffer.byteLength(body) > this.largest_body) return refusal(413, 'too_large', 'the body is too large');
    const apply = this.#route(method, url, fault);
    if (apply === undefined) return refusal(404, 'not_found', 'Resource not found');
    const key = headers['idempotency-key'];
    if (typeof key !== 'string') return refusal(400, 'bad_request', 'Idempotency-Key is missing');
    const json = parsed(body);
    if (json === undefined) return refusal(400, 'bad_request', 'the body is no JSON');
    return this.held.once(key, `${method} ${url}`, body, () => apply(json));
  }

  #route(method: string, path: string, fault: Fault | undefined): ((body: unknown) => Reply) | undefined {
    const task = /^\/wedo_tasks\/([^/]+)$/.exec(path.replace(CONNECT, ''))?.[1];
    if (method === 'PATCH' && task !== undefined) {
      return taking(BODIES.task, (change) => this.held.changeTask(decodeURIComponent(task), change));
    }
    switch (`${method} ${path}`) {
      case `POST ${CONNECT}/deployment_logs`:
        return taking(BODIES.log, ({ log }) => this.#take([log]) ?? { status: 201, json: { id: log.id } });
      case `POST ${CONNECT}/deployment_logs/batch`:
        return this.has_batches ? taking(BODIES.batch, ({ logs }) => this.#takeBatch(logs, fault)) : undefined;
      case `POST ${CONNECT}/deployments`:
        return taking(BODIES.deployment, ({ deployment }) => this.held.takeSummary(deployment));
      case `POST ${CONNECT}/wedo_tasks`:
        return taking(BODIES.new_task, (created) => this.held.createTask(created));
      default:
        return undefined;
    }
  }

  /** All of them or none: then it says why. */
  #take(entries: readonly SyncedEntry[]): Reply | undefined {
    const stranger = entries.find((entry) => !this.held.knows(entry));
    if (stranger !== undefined) {
      const { deployment_id } = stranger.flukedeploy_metadata;
      return refusal(422, 'unknown_deployment', `there is no deployment ${deployment_id}`);
    }
    if (entries.some((entry) => this.is_poison(entry))) return refusal(422, 'unprocessable', 'it cannot be stored');
    if (entries.some((entry) => this.is_stuck(entry))) return refusal(503, 'unavailable', 'it cannot be stored now');
    for (const entry of entries) this.held.takeEntry(entry);
    return undefined;
  }

  #takeBatch(entries: readonly SyncedEntry[], fault: Fault | undefined): Reply {
    const fit = entries.filter((entry) => !this.is_stuck(entry));
    const taken = fault?.kind === 'partial' ? part(fit, fault.takes) : fit;
    const refused = this.#take(taken);
    if (refused !== undefined) return refused;
    const results = entries.map((entry) => ({ id: entry.id, status: taken.includes(entry) ? 201 : 503 }));
    return { status: taken.length < entries.length ? 207 : 200, json: { accepted: taken.length, results } };
  }

  #isRight(authorization: string | undefined): boolean {
    return authorization === `Bearer ${this.token}`;
  }
}

/** Refuses what is not of this shape, and names each fault in it. */
function taking<Body>(shape: z.ZodType<Body>, take: (body: Body) => Reply): (body: unknown) => Reply {
  return (body) => {
    const { success, data, error } = shape.safeParse(body);
    if (success) return take(data);
    const errors = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    return refusal(422, 'unprocessable', 'the body is not what it should be', errors);
  };
}

function send(response: ServerResponse, { status, json }: Reply, fault: Fault | undefined): void {
  const body = JSON.stringify(json);
  const head = { 'content-type': 'application/json' };
  switch (fault?.kind) {
    case undefined:
    case 'partial':
    case 'cut_unread':
      response.writeHead(status, head).end(body);
      break;
    case 'slow':
      setTimeout(() => response.writeHead(status, head).end(body), fault.ms).unref();
      break;
    case 'status':
      response.writeHead(status, { ...head, ...(fault.retry_after && { 'retry-after': fault.retry_after }) }).end(body);
      break;
    case 'redirect':
      response.writeHead(status, { location: fault.to }).end();
      break;
    case 'malformed':
      response.writeHead(status, head).end(body.slice(0, -1));
      break;
    case 'huge':
      response.writeHead(status, head).end(`{"padding":"${'.'.repeat(fault.bytes)}"}`);
      break;
    case 'cut_applied':
      response.socket?.destroy();
      break;
    case 'silent':
      break;
  }
}

function part<Item>(items: readonly Item[], which: 'first_half' | 'every_other'): Item[] {
  switch (which) {
    case 'first_half':
      return items.slice(0, Math.ceil(items.length / 2));
    case 'every_other':
      return items.filter((_, index) => index % 2 === 0);
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
