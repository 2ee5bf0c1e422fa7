/**
 * How acme-client talks to an authority. Its own way retries in silence for hours and loses type, waiting time and sub-problems of
 * what is refused; it lets the transport be replaced, so ours tells refusals as errors, ends with a signal and trusts a private CA.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { request as requestHttp, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';
import { axios } from 'acme-client';
import { DeployError } from '../../domain/errors.js';
import { readProblem, readRetryAfter, refusalError } from './acme-problem.js';

const TIMEOUT_MS = 30_000;
/** Chains are a few kilobytes; more than this is no answer of an authority. */
const LARGEST_ANSWER = 1024 * 1024;
/** As often as acme-client asks again with another nonce. */
const BAD_NONCES = 5;

export interface Exchange {
  readonly signal: AbortSignal;
  /** PEM, beside the authorities that the system trusts. */
  readonly authorities?: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const exchanges = new AsyncLocalStorage<Exchange & { badNonces: Map<string, number> }>();

/** Every request that acme-client makes while `work` runs is made with these. */
export function exchanging<Result>(exchange: Exchange, work: () => Promise<Result>): Promise<Result> {
  return exchanges.run({ ...exchange, badNonces: new Map() }, work);
}

axios.defaults.adapter = async (config) => {
  const exchange = exchanges.getStore();
  if (exchange === undefined) throw new Error('acme-client was used outside of an exchange.');
  const url = new URL(config.url ?? '');
  const headers = { ...config.headers.toJSON(), 'accept-encoding': 'identity' } as RequestOptions['headers'];
  const answer = await send(
    url,
    { method: config.method?.toUpperCase() ?? 'GET', headers: headers ?? {} },
    bodyOf(config.data),
    exchange,
  );
  const data = parsed(answer);
  if (answer.status < 300) exchange.badNonces.delete(url.href);
  else refuse(url, answer, data, exchange);
  return { data, status: answer.status, statusText: '', headers: plainHeaders(answer.headers), config };
};

function bodyOf(data: unknown): string {
  if (data === undefined || data === null) return '';
  return typeof data === 'string' ? data : JSON.stringify(data);
}

/** @throws DeployError, except for a bad nonce, with which acme-client asks again */
function refuse(
  url: URL,
  { status, headers, text }: Answer,
  data: unknown,
  { badNonces }: { badNonces: Map<string, number> },
): void {
  const problem = readProblem(data) ?? {
    type: `HTTP ${status}`,
    detail: text.trim() === '' ? 'no reason was given' : text.replace(/[\p{C}\s]+/gu, ' ').slice(0, 200),
    subproblems: [],
  };
  const refused = badNonces.get(url.href) ?? 0;
  if (problem.type === 'badNonce' && refused < BAD_NONCES) {
    badNonces.set(url.href, refused + 1);
    return;
  }
  const retryAfterSeconds = readRetryAfter(headers['retry-after'], Date.now());
  throw refusalError({ status, problem, retryAfterSeconds, where: `${url.origin}${url.pathname}` });
}

async function send(url: URL, options: RequestOptions, body: string, exchange: Exchange): Promise<Answer> {
  const { signal, authorities } = exchange;
  signal.throwIfAborted();
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  try {
    return await new Promise((resolve, reject) => {
      const outgoing = request(url, {
        ...options,
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
        ...(authorities !== undefined && { ca: [...getCACertificates('default'), authorities] }),
      });
      outgoing.once('error', reject);
      outgoing.once('response', (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.once('error', reject);
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > LARGEST_ANSWER) outgoing.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        incoming.once('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text });
        });
      });
      outgoing.end(body);
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new DeployError(
      'acme_unreachable',
      `The certificate authority at ${url.host} cannot be reached: ${reasonOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

function reasonOf(error: unknown): string {
  const { name, message, code } = error as NodeJS.ErrnoException;
  // When all addresses of a name refuse, Node says so without words.
  return name === 'TimeoutError' || name === 'AbortError'
    ? `no answer within ${TIMEOUT_MS / 1000} seconds`
    : message || (code ?? name);
}

function parsed({ headers, text }: Answer): unknown {
  if (!/[/+]json\b/.test(headers['content-type'] ?? '')) return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function plainHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]));
}
