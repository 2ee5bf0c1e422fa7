/** For servers that must know the body of a request. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

/** A listener that answers once it has the whole request. */
export function withBody(
  answer: (request: IncomingMessage, body: string, response: ServerResponse) => void,
): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => answer(request, Buffer.concat(chunks).toString(), response));
  };
}
