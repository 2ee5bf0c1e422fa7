/**
 * FlukeBase over HTTPS: one request for each thing that is told, within a deadline, without following redirects. The token is in no
 * error and in no log: what axios throws holds it, and so is never passed on.
 */
import { randomUUID } from 'node:crypto';
import { Agent } from 'node:https';
import { createSecureContext, getCACertificates } from 'node:tls';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { isNews, type DeploymentSummary } from '../../domain/deployment-summary.js';
import {
  FlukeBase,
  type FlukeBaseCall,
  type FlukeBaseFinding,
  type FlukeBaseReply,
} from '../../domain/flukebase-ports.js';
import type { UnifiedLogEntry } from '../../domain/log-entry.js';
import { createMasker, type Masker } from '../../domain/masking.js';
import type { NewWedoTask, WedoTaskChange } from '../../domain/wedo-task.js';
import { retryAfterMs } from '../network/retry-after.js';
import { readAnswer, reasonIn, refusedIn } from './flukebase-answer.js';
import { answerFinding, checkCertificate, isAbsent } from './flukebase-check.js';

const SOURCE = 'flukedeploy';
/** The most of an answer that is read. */
const ANSWER_BYTES = 256 * 1024;
const MOST_CONNECTIONS = 8;

export interface FlukeBaseClientOptions {
  /** Such as https://flukebase.me/api/v1. */
  readonly url: string;
  readonly token: string;
  /** PEM, beside the authorities that the system trusts. */
  readonly authorities?: string | undefined;
  readonly timeoutMs?: number;
}

interface Request {
  readonly method: 'POST' | 'PATCH';
  readonly path: string;
  readonly body: object;
  readonly signal: AbortSignal;
  readonly idempotency_key: string;
}

export class FlukeBaseClient extends FlukeBase {
  readonly #http: AxiosInstance;
  readonly #url: URL;
  readonly #ca: string[] | undefined;
  readonly #timeoutMs: number;
  readonly #masker: Masker;

  constructor({ url, token, authorities, timeoutMs = 10_000 }: FlukeBaseClientOptions) {
    super();
    this.#url = new URL(`${url.replace(/\/+$/, '')}/flukebase_connect/`);
    this.#ca = authorities === undefined ? undefined : [...getCACertificates('default'), authorities];
    this.#timeoutMs = timeoutMs;
    this.#masker = createMasker([token]);
    this.#http = axios.create({
      // Made once: an agent compares all certificates of `ca` at each request.
      httpsAgent: new Agent({
        keepAlive: true,
        maxSockets: MOST_CONNECTIONS,
        ...(this.#ca && { secureContext: createSecureContext({ ca: this.#ca }) }),
      }),
      headers: {
        authorization: `Bearer ${token}`,
        'user-agent': 'FlukeDeploy',
        accept: 'application/json',
        'accept-encoding': 'identity',
      },
      maxRedirects: 0,
      maxContentLength: ANSWER_BYTES,
      decompress: false,
      proxy: false,
      responseType: 'text',
      // The texts as they are: axios would parse them once more on their way, and what came is judged here.
      transformRequest: (text: unknown) => text,
      transformResponse: (text: unknown) => text,
      validateStatus: () => true,
    });
  }

  override syncDeploymentLog(log: UnifiedLogEntry, call: FlukeBaseCall): Promise<FlukeBaseReply> {
    return this.#send({ method: 'POST', path: 'deployment_logs', body: { log, source: SOURCE }, ...call });
  }

  override syncDeploymentLogsBatch(logs: readonly UnifiedLogEntry[], call: FlukeBaseCall): Promise<FlukeBaseReply> {
    return this.#send({ method: 'POST', path: 'deployment_logs/batch', body: { logs, source: SOURCE }, ...call });
  }

  override createDeploymentTask(task: NewWedoTask, call: FlukeBaseCall): Promise<FlukeBaseReply> {
    return this.#send({ method: 'POST', path: 'wedo_tasks', body: task, ...call });
  }

  override updateWedoTask(id: string, change: WedoTaskChange, call: FlukeBaseCall): Promise<FlukeBaseReply> {
    const path = `wedo_tasks/${encodeURIComponent(id)}`;
    return this.#send({ method: 'PATCH', path, body: { task_id: id, ...change }, ...call });
  }

  override syncDeploymentSummary(deployment: DeploymentSummary, call: FlukeBaseCall): Promise<FlukeBaseReply> {
    const body = { deployment, source: SOURCE, ...(isNews(deployment) && { broadcast: true }) };
    return this.#send({ method: 'POST', path: 'deployments', body, ...call });
  }

  override async check(withToken: boolean, signal: AbortSignal): Promise<FlukeBaseFinding[]> {
    const stop = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    const findings = await checkCertificate(this.#url, this.#ca, stop);
    if (!withToken || findings.some(({ ok }) => !ok)) return findings;
    return [...findings, answerFinding(await this.#sendNothing(signal), new URL('..', this.#url))];
  }

  /** A batch without entries; where it has no route for batches, no entry by itself. */
  async #sendNothing(signal: AbortSignal): Promise<FlukeBaseReply> {
    const call = { method: 'POST', idempotency_key: `check-${randomUUID()}`, signal } as const;
    const reply = await this.#send({ ...call, path: 'deployment_logs/batch', body: { logs: [], source: SOURCE } });
    return isAbsent(reply) ? this.#send({ ...call, path: 'deployment_logs', body: { source: SOURCE } }) : reply;
  }

  async #send({ method, path, body, signal, idempotency_key }: Request): Promise<FlukeBaseReply> {
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      const response = await this.#http.request<string>({
        method,
        url: new URL(path, this.#url).href,
        data: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'idempotency-key': idempotency_key },
        signal: AbortSignal.any([signal, timeout]),
      });
      return replyOf(response, this.#masker);
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted) return unanswered(`FlukeBase did not answer within ${this.#timeoutMs / 1000} seconds.`);
      return unanswered(`FlukeBase did not answer: ${codeOf(error)}.`);
    }
  }
}

function replyOf({ status, data, headers }: AxiosResponse<string>, masker: Masker): FlukeBaseReply {
  const answer = readAnswer(data);
  if (status >= 200 && status < 300) {
    if (answer === undefined) return unanswered('FlukeBase answered with something that is no JSON object.');
    const refused = refusedIn(answer, masker);
    return { kind: 'accepted', status, ...(refused.length > 0 && { refused }) };
  }
  const reason = answer && reasonIn(answer, masker);
  const header: unknown = headers['retry-after'];
  const retry_after_ms = retryAfterMs(typeof header === 'string' ? header : undefined, Date.now());
  return {
    kind: 'refused',
    status,
    ...(reason !== undefined && { reason }),
    ...(retry_after_ms !== undefined && { retry_after_ms }),
  };
}

const unanswered = (reason: string): FlukeBaseReply => ({ kind: 'unanswered', reason });

/** Messages of axios may hold the address and its headers; the code does not. */
function codeOf(error: unknown): string {
  const { code, name } = error as NodeJS.ErrnoException;
  return code === 'ERR_BAD_RESPONSE' ? 'its answer was too long or broke off' : (code ?? name);
}
