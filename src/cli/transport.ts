/** HTTP requests to the server, repeated within bounds while it cannot be reached. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Problem } from './answers.js';
import { Interrupted, mayPass, Refused, Unreachable } from './failures.js';

export interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  /** A body that is made while it is sent; called anew for every attempt. */
  readonly stream?: () => AsyncIterable<Uint8Array>;
  /** Longest silence: no answer, or no piece of the body taken. */
  readonly silence_ms?: number;
  /** Attempts in all. */
  readonly attempts?: number;
}

export interface Server {
  readonly url: string;
  readonly token?: string;
}

const SILENCE_MS = 30_000;
const ATTEMPTS = 4;
const BACKOFF_MS = { first: 250, longest: 5_000 } as const;
const LONGEST_RETRY_AFTER_MS = 30_000;

export class Transport {
  constructor(
    readonly server: Server,
    private readonly interrupted: AbortSignal,
    /** Hears of the first failed attempt, and of the answer after it. */
    private readonly notice: (text: string) => void,
  ) {}

  /** @throws Refused, Unreachable, Interrupted, and whatever `stream` throws */
  async send<Answer>(call: Call): Promise<Answer> {
    const { attempts = ATTEMPTS } = call;
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#once<Answer>(call);
        if (attempt > 1) this.notice('The server answers again.');
        return answer;
      } catch (error) {
        if (this.interrupted.aborted) throw new Interrupted();
        if (!mayPass(error) || attempt >= attempts) throw error;
        if (attempt === 1) this.notice(`${(error as Error).message} Trying again …`);
        await delay(waitAfter(attempt, error), undefined, { signal: this.interrupted }).catch(() => undefined);
      }
    }
  }

  async #once<Answer>({ method, path, query, headers, json, stream, silence_ms }: Call): Promise<Answer> {
    const patience = new Patience(silence_ms ?? SILENCE_MS);
    const body = stream && new WatchedBody(stream(), patience);
    const { url, token } = this.server;
    try {
      const response = await fetch(url + path + queryText(query), {
        method,
        headers: {
          accept: 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        redirect: 'manual',
        signal: AbortSignal.any([this.interrupted, patience.signal]),
        ...(json !== undefined && { body: JSON.stringify(json) }),
        ...(body && { body, duplex: 'half' }),
      });
      return answerOf(response, await response.text()) as Answer;
    } catch (error) {
      if (error instanceof Refused) throw error;
      if (body?.failure !== undefined) throw body.failure;
      throw new Unreachable(`The server at ${url} does not answer (${reasonOf(error, patience)}).`, { cause: error });
    } finally {
      patience.end();
    }
  }
}

/** Ends a request in which nothing has moved for too long. */
class Patience {
  readonly #gone = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly signal = this.#gone.signal;

  constructor(readonly silence_ms: number) {
    this.#timer = setTimeout(() => this.#gone.abort(), silence_ms);
  }

  renew(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

/** Renews the patience with every piece that is taken, and keeps the error of its own making apart from those of the net. */
class WatchedBody implements AsyncIterable<Uint8Array> {
  failure: Error | undefined;

  constructor(
    private readonly source: AsyncIterable<Uint8Array>,
    private readonly patience: Patience,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const pieces = this.source[Symbol.asyncIterator]();
    try {
      for (let next = await this.#next(pieces); next.done !== true; next = await this.#next(pieces)) {
        this.patience.renew();
        yield next.value;
      }
      this.patience.renew();
    } finally {
      await pieces.return?.();
    }
  }

  async #next(pieces: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      return await pieces.next();
    } catch (error) {
      this.failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }
}

function queryText(query: Call['query'] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  return parameters.size > 0 ? `?${parameters.toString()}` : '';
}

/** @throws Refused */
function answerOf(response: Response, text: string): unknown {
  const answer = parsed(text);
  if (response.ok && (answer !== undefined || text === '')) return answer;
  const retryAfter = Number(response.headers.get('retry-after') ?? undefined);
  throw new Refused(problemOf(response, answer), Number.isFinite(retryAfter) ? retryAfter : undefined);
}

function problemOf(response: Response, answer: unknown): Problem {
  const { status } = response;
  const location = response.headers.get('location');
  if (location !== null && status < 400) return { status, title: `The server is at another address: ${location}` };
  if (typeof answer === 'object' && answer !== null && 'title' in answer) return { ...(answer as Problem), status };
  return { status, title: `The answer (HTTP ${status}) is not one of a FlukeDeploy server. Is the address right?` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function waitAfter(attempt: number, error: unknown): number {
  const step = Math.min(BACKOFF_MS.first * 2 ** (attempt - 1), BACKOFF_MS.longest);
  const asked = error instanceof Refused ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
  return Math.max(step * (0.5 + Math.random() / 2), Math.min(asked, LONGEST_RETRY_AFTER_MS));
}

/** What happened, from below fetch's own "fetch failed": the system's word, such as ECONNREFUSED, where there is one. */
function reasonOf(error: unknown, patience: Patience): string {
  if (patience.signal.aborted) return `silent for ${patience.silence_ms / 1000} s`;
  let inner = error;
  while (inner instanceof Error && inner.cause !== undefined) inner = inner.cause;
  if (!(inner instanceof Error)) return String(inner);
  const { code } = inner as NodeJS.ErrnoException;
  return code !== undefined && /^E[A-Z]+$/.test(code) ? code : inner.message;
}
