/** Single requests of a load, each judged to the last byte and never repeated. */
import { createHash, randomBytes } from 'node:crypto';
import { Agent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { LoadOrder } from './traffic-load.ts';
import { monotonic, type FailureKind, type RequestKind, type Sample } from './traffic-report.ts';

type Failure = NonNullable<Sample['failure']>;

/** What is sent, and what is wrong with the answer's body, if anything. */
interface Question {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Buffer;
  readonly limitMs: number;
  readonly expected: string;
  wrong(body: Buffer, response: IncomingMessage): string | undefined;
}

/** A place for one open connection. */
interface Place {
  readonly agent: Agent;
  busy: boolean;
}

const NOT_CONNECTED = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EADDRNOTAVAIL', 'ETIMEDOUT'];
/** Node's and OpenSSL's codes, such as ERR_TLS_CERT_ALTNAME_INVALID and DEPTH_ZERO_SELF_SIGNED_CERT. */
const UNTRUSTED = /CERT|^UNABLE_TO_/;
const POSTED_BYTES = 4_000;
const STREAM_LINE = /^line (\d+) of (\d+)$/;

export class TrafficRequests {
  readonly #order: LoadOrder;
  readonly #secure: boolean;
  /** Used in turns, so that all stay open and each rests between two requests: that is when a proxy closes them. */
  readonly #places: readonly Place[];
  readonly #once: Agent;
  #turn = 0;

  constructor(order: LoadOrder) {
    this.#order = order;
    this.#secure = order.url.startsWith('https:');
    this.#places = Array.from({ length: order.connections }, () => ({ agent: this.#agent(true), busy: false }));
    this.#once = this.#agent(false);
  }

  /** Resolves in any case. @param due when it should have been sent; its time counts from there */
  async ask(traffic: RequestKind, due: number): Promise<Sample> {
    const question = this.#question(traffic);
    if (traffic !== 'keep_alive' && traffic !== 'post') return this.#exchange(traffic, question, this.#once, due);
    const place = this.#place();
    place.busy = true;
    try {
      return await this.#exchange(traffic, question, place.agent, due);
    } finally {
      place.busy = false;
    }
  }

  close(): void {
    for (const { agent } of this.#places) agent.destroy();
    this.#once.destroy();
  }

  /** Nobody waits for a connection: when all are busy, a second one is opened in the same place. */
  #place(): Place {
    const { length } = this.#places;
    for (let tried = 0; tried < length; tried++) {
      const place = this.#places[this.#turn++ % length]!;
      if (!place.busy) return place;
    }
    return this.#places[this.#turn++ % length]!;
  }

  #agent(keepAlive: boolean): Agent {
    if (!this.#secure) return new Agent({ keepAlive, maxFreeSockets: 1 });
    const { host, ca, reject_unauthorized } = this.#order;
    // Sessions are not resumed: each connection proves the certificate anew.
    const options = { servername: hostName(host), rejectUnauthorized: reject_unauthorized, maxCachedSessions: 0 };
    return new TlsAgent({ keepAlive, maxFreeSockets: 1, ...options, ...(ca !== undefined && { ca }) });
  }

  #question(traffic: RequestKind): Question {
    const { timeout_ms, slow_ms } = this.#order;
    const quick = { method: 'GET', path: '/', limitMs: timeout_ms, expected: 'the page', wrong: wrongPage } as const;
    const slow = { ...quick, limitMs: timeout_ms + slow_ms };
    switch (traffic) {
      case 'keep_alive':
      case 'fresh':
        return quick;
      case 'slow':
        return { ...slow, path: `/slow?ms=${slow_ms}`, expected: `the answer after ${slow_ms} ms` };
      case 'stream':
        return {
          ...slow,
          path: `/stream?ms=${slow_ms}`,
          expected: `all lines within ${slow_ms} ms`,
          wrong: wrongLines,
        };
      case 'post': {
        const body = randomBytes(POSTED_BYTES);
        const echo = JSON.stringify({ length: body.length, sha256: hash(body) });
        const wrong = (got: Buffer): string | undefined => (got.toString() === echo ? undefined : excerpt(got));
        return { ...quick, method: 'POST', path: '/echo', body, expected: echo, wrong };
      }
    }
  }

  #exchange(traffic: RequestKind, question: Question, agent: Agent, due: number): Promise<Sample> {
    const { method, path, body, limitMs, expected } = question;
    const { promise, resolve } = Promise.withResolvers<Sample>();
    const options: RequestOptions = {
      method,
      path,
      agent,
      hostname: new URL(this.#order.url).hostname,
      port: new URL(this.#order.url).port,
      headers: { host: this.#order.host, ...(body && { 'content-length': body.length }) },
    };
    const request = this.#secure ? httpsRequest(options) : httpRequest(options);
    let late = false;
    let answer: IncomingMessage | undefined;

    const end = (failure?: Omit<Failure, 'expected'>): void => {
      clearTimeout(limit);
      const version = answer?.headers['x-version'];
      resolve({
        traffic,
        begun: due,
        ms: monotonic() - due,
        reused: request.reusedSocket,
        ...(typeof version === 'string' && { version }),
        ...(failure && { failure: { expected: `${method} ${path}: ${expected}`, ...failure } }),
      });
    };
    const limit = setTimeout(() => {
      late = true;
      request.destroy(new Error(`no complete answer in ${limitMs} ms`));
    }, limitMs);

    /** An answer that has begun and is bad anyway is called bad, however it ends. */
    const broken = (error: Error & { code?: string }): void => {
      const detail = [error.code, error.message].filter(Boolean).join(' ');
      const status = answer && wrongStatus(answer, detail);
      if (late) end({ kind: 'timed_out', detail });
      else if (answer) end(status ?? { kind: 'truncated', detail });
      else end({ kind: kindOf(error, request.reusedSocket), detail });
    };
    request.on('error', broken);
    request.on('response', (response) => {
      answer = response;
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', broken);
      response.on('end', () => end(judge(response, Buffer.concat(chunks), question)));
    });
    request.end(body);
    return promise;
  }
}

function kindOf({ code = '' }: { readonly code?: string }, reused: boolean): FailureKind {
  if (NOT_CONNECTED.includes(code)) return 'connection_refused';
  if (UNTRUSTED.test(code)) return 'untrusted_certificate';
  return reused ? 'keep_alive_closed' : 'connection_reset';
}

function judge(response: IncomingMessage, body: Buffer, question: Question): Omit<Failure, 'expected'> | undefined {
  const status = wrongStatus(response, excerpt(body));
  if (status) return status;
  if (response.headers['x-version'] === undefined)
    return { kind: 'wrong_body', detail: `no x-version; ${excerpt(body)}` };
  const wrong = question.wrong(body, response);
  return wrong === undefined ? undefined : { kind: 'wrong_body', detail: wrong };
}

function wrongStatus({ statusCode = 0 }: IncomingMessage, detail: string): Omit<Failure, 'expected'> | undefined {
  if (statusCode === 200) return undefined;
  return { kind: statusCode >= 500 ? 'server_error' : 'unexpected_status', detail: `${statusCode}: ${detail}` };
}

function wrongPage(body: Buffer, { headers }: IncomingMessage): string | undefined {
  const isWhole = hash(body) === headers['x-body-sha256'];
  const isOfVersion = body.toString().startsWith(`${String(headers['x-version'])} `);
  return isWhole && isOfVersion ? undefined : excerpt(body);
}

function wrongLines(body: Buffer): string | undefined {
  const lines = body.toString().split('\n');
  const isWhole =
    lines.pop() === '' &&
    lines.length > 0 &&
    lines.every((line, index) => {
      const [, number, of] = STREAM_LINE.exec(line) ?? [];
      return Number(number) === index + 1 && Number(of) === lines.length;
    });
  return isWhole ? undefined : excerpt(body);
}

/** Without the port: what a certificate names. */
export function hostName(host: string): string {
  return host.replace(/:\d+$/, '');
}

function hash(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}

function excerpt(body: Buffer): string {
  return `${body.length} bytes: ${JSON.stringify(body.subarray(0, 120).toString())}`;
}
