/** Health probes over real sockets. That a service is not well is a result; being stopped is an error, and a way to it that is gone. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { DeployError } from '../../domain/errors.js';
import { type ProbeResult, Probes } from '../../domain/ports.js';

/** How much of the body a result may quote. */
const BODY_BYTES = 1024;

/** How a probe comes to the service: straight, or through something that stands nearer to it. */
export interface ProbeRoute {
  /** A connection on which can be written; rejects when there is none. */
  dial(host: string, port: number, stop: AbortSignal): Promise<Socket>;
  /** Waits until it is known that the service itself has accepted; rejects when it has not. */
  accepted(socket: Socket, stop: AbortSignal): Promise<void>;
}

const STRAIGHT: ProbeRoute = {
  dial: async (host, port, stop) => {
    const socket = connect({ host, port, signal: stop });
    await once(socket, 'connect');
    return socket;
  },
  accepted: async () => undefined,
};

export class SocketProbes extends Probes {
  constructor(private readonly route: ProbeRoute = STRAIGHT) {
    super();
  }

  override http(url: string, timeoutMs: number, signal: AbortSignal): Promise<ProbeResult> {
    return probe(timeoutMs, signal, async (stop) => {
      const { hostname, port } = new URL(url);
      // Each probe asks on a connection of its own: a kept one would not notice that nothing new is accepted.
      const socket = await this.route.dial(hostname.replace(/^\[|\]$/g, ''), Number(port || 80), stop);
      const asking = request(url, { createConnection: () => socket, signal: stop, headers: { accept: '*/*' } });
      asking.end();
      const [response] = (await once(asking, 'response')) as [IncomingMessage];
      const status = response.statusCode ?? 0;
      const healthy = status >= 200 && status < 400;
      const reason = healthy ? undefined : `HTTP ${status}: ${await beginning(response)}`;
      // Whatever else the service would send, and the abort that ends it, is nobody's concern any more.
      response.on('error', () => undefined).destroy();
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
}

type Ask = (stop: AbortSignal) => Promise<Omit<ProbeResult, 'duration_ms'>>;

/** @throws the signal's reason when it was stopped; DeployError when what the probe goes through is away */
async function probe(timeoutMs: number, signal: AbortSignal, ask: Ask): Promise<ProbeResult> {
  signal.throwIfAborted();
  const timeout = AbortSignal.timeout(timeoutMs);
  const start = performance.now();
  const duration_ms = () => Math.round(performance.now() - start);
  try {
    return { ...(await ask(AbortSignal.any([signal, timeout]))), duration_ms: duration_ms() };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof DeployError) throw error;
    const reason = timeout.aborted ? `no answer within ${timeoutMs} ms` : messageOf(error);
    return { healthy: false, duration_ms: duration_ms(), reason };
  }
}

/** The first kilobyte of the body in one line, or as much of it as came before the end. */
async function beginning(response: IncomingMessage): Promise<string> {
  let body = Buffer.alloc(0);
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      body = Buffer.concat([body, chunk]).subarray(0, BODY_BYTES);
      if (body.length === BODY_BYTES) break;
    }
  } catch {
    // The status is known, which is what counts; a body that breaks off changes nothing.
  }
  return (
    body
      .toString()
      .replace(/[\p{Cc}\s]+/gu, ' ')
      .trim() || '(empty body)'
  );
}

/** Node joins the errors of several addresses into one that has no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
