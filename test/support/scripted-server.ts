/** An HTTP server whose answers a test writes down; it keeps every request it was sent. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

export interface ScriptedRequest {
  /** Method and path, such as `GET /api/v1/logs`. */
  readonly route: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly json: unknown;
}

export interface ScriptedAnswer {
  /** 200 when left out. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** `cut` closes the connection without an answer, `silence` leaves it open. */
export type Script = (request: ScriptedRequest) => ScriptedAnswer | 'cut' | 'silence';

export class ScriptedServer {
  readonly requests: ScriptedRequest[] = [];
  #server: Server | undefined;
  #port = 0;
  #script: Script = () => ({ status: 404, json: { title: 'no script' } });

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  answer(script: Script): void {
    this.#script = script;
  }

  /** The second start takes the port of the first. */
  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.#server?.closeAllConnections();
    await closed;
  }

  to(route: string): ScriptedRequest[] {
    return this.requests.filter((request) => request.route === route);
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(incoming.url ?? '/', this.url);
    const body = await buffer(incoming).catch(() => undefined);
    if (body === undefined) return; // the client has gone
    const { headers } = incoming;
    const json: unknown = headers['content-type'] === 'application/json' ? JSON.parse(body.toString()) : undefined;
    const request = { route: `${incoming.method ?? ''} ${pathname}`, query, headers, body, json };
    this.requests.push(request);
    const answer = this.#script(request);
    if (answer === 'silence') return;
    if (answer === 'cut') incoming.socket.destroy();
    else response.writeHead(answer.status ?? 200, answer.headers).end(JSON.stringify(answer.json ?? {}));
  }
}
