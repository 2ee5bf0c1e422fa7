/** Calls of the Engine that answer with a stream of JSON objects: build, pull, push. */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';

/** What the Engine sends, one object a line. */
export interface EngineEvent {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly error?: string;
  /** BuildKit's trace as base64, or an object with the result. */
  readonly aux?: string | { readonly ID?: string; readonly Digest?: string };
}

export interface EngineRequest {
  readonly method: 'GET' | 'POST';
  /** Without the API version, such as `/images/create`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly auth?: Docker.AuthConfigObject;
  /** Logins by registry, for base images: the Engine's own builder takes them from here, BuildKit asks its session. */
  readonly logins?: Readonly<Record<string, Docker.AuthConfigObject>>;
  readonly body?: Readable;
}

/** Sends the request; an abort ends it at any time, and the Engine's work with it. */
export function openStream(docker: Docker, request: EngineRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const options = {
    method: request.method,
    path: `${request.path}?`,
    options: { _query: request.query ?? {}, _body: {} },
    authconfig: request.auth,
    ...(request.logins && { registryconfig: { base64: base64Of(request.logins) } }),
    file: request.body,
    abortSignal: signal,
    isStream: true,
    statusCodes: { 200: true },
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(options, (error: Error | null, response: unknown) =>
      error ? reject(error) : resolve(response as IncomingMessage),
    );
  });
}

/** In the alphabet of URLs and padded: what the Engine cannot read it passes over in silence. */
function base64Of(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

export async function* engineEvents(response: IncomingMessage): AsyncGenerator<EngineEvent> {
  let rest = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim()) yield JSON.parse(line) as EngineEvent;
  }
  if (rest.trim()) yield JSON.parse(rest) as EngineEvent;
}
