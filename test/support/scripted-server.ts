/** An HTTP server whose answers a test writes down; it keeps every request it was sent. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { ReturningServer } from './returning-server.js';

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

export class ScriptedServer extends ReturningServer {
  readonly requests: ScriptedRequest[] = [];
  #script: Script = () => ({ status: 404, json: { title: 'no script' } });

  answer(script: Script): void {
    this.#script = script;
  }

  to(route: string): ScriptedRequest[] {
    return this.requests.filter((request) => request.route === route);
  }

  protected override async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
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
