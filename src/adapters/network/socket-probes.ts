/** Probes and requests over real sockets. That a service is not well is a result; being stopped is an error, and a way to it that is gone. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { DeployError } from '../../domain/errors.js';
import { type FetchAnswer, type FetchRequest, type ProbeResult, Probes } from '../../domain/ports.js';
import { checkRequest } from './request-rules.js';
import { beginning, leave, quoted } from './response-body.js';

/** How much of a body an answer may hold. */
const BODY_BYTES = 1024 * 1024;

/** How a probe comes to the service: straight, or through something that stands nearer to it. */
export interface ProbeRoute {
  /** A connection on which can be written; rejects when there is none. */
  dial(host: string, port: number, stop: AbortSignal): Promise<Socket>;
  /** Waits until it is known that the service itself has accepted; rejects when it has not. */
  accepted(socket: Socket, stop: AbortSignal): Promise<void>;
}

const STRAIGHT: ProbeRoute = { dial, accepted: async () => undefined };

/** Rejects when there is no connection, or when it is stopped before there is one. */
export async function dial(host: string, port: number, stop: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, signal: stop });
  // It may be stopped while nobody waits for it, before it has begun even: an error that nobody hears would end the process.
  socket.on('error', () => undefined);
  await once(socket, 'connect', { signal: stop });
  return socket;
}

export class SocketProbes extends Probes {
  constructor(private readonly route: ProbeRoute = STRAIGHT) {
    super();
  }

  override http(url: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
    return probe(timeoutMs, signal, async (stop) => {
      const response = await this.#ask(url, { method: 'GET', headers: {} }, stop);
      const status = response.statusCode ?? 0;
      const healthy = status >= 200 && status < 400;
      const reason = healthy ? undefined : `HTTP ${status}: ${await quoted(response)}`;
      leave(response);
      return { healthy, http_status: status, ...(reason !== undefined && { reason }) };
    });
  }

  override tcp(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
    return probe(timeoutMs, signal, async (stop) => {
      const socket = await this.route.dial(host, port, stop);
      try {
        await this.route.accepted(socket, stop);
      } finally {
        socket.destroy();
      }
      return { healthy: true };
    });
  }

  override async fetch(url: string, asked: FetchRequest, signal: AbortSignal): Promise<FetchAnswer> {
    checkRequest(asked);
    const answer = async (stop: AbortSignal) => {
      const response = await this.#ask(url, asked, stop);
      const { bytes, cut, broken } = await beginning(response, BODY_BYTES);
      leave(response);
      if (broken !== undefined) throw new Error(`the answer broke off: ${messageOf(broken)}`);
      return {
        status: response.statusCode ?? 0,
        headers: joined(response.headersDistinct),
        // Of a body that is cut, the last character may be half there: it is left out.
        body: new TextDecoder().decode(bytes, { stream: cut }),
        cut,
      };
    };
    return timed(asked.timeout_ms, signal, answer, (reason) => {
      throw new DeployError('service_unreachable', `The service does not answer: ${reason}`);
    });
  }

  /** Each request has a connection of its own: a kept one would not notice that nothing new is accepted. */
  async #ask(
    url: string,
    { method, headers, body }: Omit<FetchRequest, 'timeout_ms'>,
    stop: AbortSignal,
  ): Promise<IncomingMessage> {
    const { hostname, port } = new URL(url);
    const socket = await this.route.dial(hostname.replace(/^\[|\]$/g, ''), Number(port || 80), stop);
    // Node tells the length of a body only for methods that usually have one.
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const asking = request(url, {
      method,
      headers: { accept: '*/*', ...lowered(headers), ...length },
      createConnection: () => socket,
      signal: stop,
    });
    // Who answers early may close before the whole request is sent; what counts is the answer.
    asking.on('error', () => undefined).end(body);
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    return response;
  }
}

type Ask<Answer> = (stop: AbortSignal) => Promise<Answer>;

function probe(
  timeoutMs: number,
  signal: AbortSignal,
  ask: Ask<Omit<ProbeResult, 'duration_ms'>>,
): Promise<ProbeResult> {
  return timed(timeoutMs, signal, ask, (reason) => ({ healthy: false, reason }));
}

/**
 * @param unanswered what it means that no answer came, and why
 * @throws the signal's reason when it was stopped; DeployError when what the question goes through is away
 */
async function timed<Answer extends object>(
  timeoutMs: number,
  signal: AbortSignal,
  ask: Ask<Answer>,
  unanswered: (reason: string) => Answer,
): Promise<Answer & { readonly duration_ms: number }> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const start = performance.now();
  const timedAnswer = (answer: Answer) => ({ ...answer, duration_ms: Math.round(performance.now() - start) });
  try {
    return timedAnswer(await ask(AbortSignal.any([signal, timeout])));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DeployError) throw error;
    return timedAnswer(unanswered(timeout.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error)));
  }
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function joined(headers: NodeJS.Dict<string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, values = []]) => [name, values.join(', ')]));
}

/** Node joins the errors of several addresses into one that has no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
