/** HTTP as no honest client speaks it: path, headers and body leave exactly as they are written in the test. */
import { once } from 'node:events';
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

export interface RawRequest {
  readonly method: string;
  /** Not normalised: `..` and `%2f` arrive as they are. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Each request on a connection of its own, so that one that breaks it spoils no other; kept open, so that no answer is lost. */
export async function rawRequest(url: string, { method, path, headers, body }: RawRequest): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  const agent = new Agent({ keepAlive: true });
  try {
    const sent = request({ hostname, port, method, path, headers: { ...length, ...headers }, agent });
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, headers: response.headers, text: await text(response) };
  } finally {
    agent.destroy();
  }
}

/** Sends these bytes and answers the status line, once the server has closed the connection. */
export async function rawBytes(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(bytes);
  const [statusLine = ''] = (await text(socket)).split('\r\n');
  return statusLine;
}
