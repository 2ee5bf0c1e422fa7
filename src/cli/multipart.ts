/** The body of an upload, `multipart/form-data` with the parts `spec` and `source`, made while it is sent. */
import { randomUUID } from 'node:crypto';

export interface Multipart {
  readonly content_type: string;
  /** Each call begins the archive anew. */
  readonly stream: () => AsyncIterable<Uint8Array>;
}

export function multipart(spec: unknown, archive: () => AsyncIterable<Uint8Array>): Multipart {
  const boundary = `flukedeploy-${randomUUID()}`;
  const part = (disposition: string) => `--${boundary}\r\nContent-Disposition: form-data; ${disposition}\r\n`;

  async function* stream(): AsyncGenerator<Uint8Array> {
    // The spec comes first: a server may refuse it before it has taken the archive.
    yield Buffer.from(`${part('name="spec"')}\r\n${JSON.stringify(spec)}\r\n`);
    yield Buffer.from(`${part('name="source"; filename="source.tar"')}Content-Type: application/octet-stream\r\n\r\n`);
    yield* archive();
    yield Buffer.from(`\r\n--${boundary}--\r\n`);
  }

  return { content_type: `multipart/form-data; boundary=${boundary}`, stream };
}
