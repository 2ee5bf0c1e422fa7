/** Baseline of query.bench: node:http alone. It answers every path with the bytes that were put there before. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Answer {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const answers = new Map<string, Uint8Array>();

const server = createServer((request, response) => {
  const bytes = answers.get(request.url ?? '');
  response.writeHead(bytes ? 200 : 404, { 'content-type': 'application/json', 'content-length': bytes?.length ?? 0 });
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () => process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));

process.on('message', ({ path, bytes }: Answer) => {
  answers.set(path, bytes);
  process.send?.(path);
});
