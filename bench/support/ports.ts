/** Ports of this machine that nobody listens on. */
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What a server needs for an edge of its own beside those of others. */
export async function edgeEnvironment(name: string): Promise<Record<'HTTP_PORT' | 'HTTPS_PORT' | 'EDGE_NAME', string>> {
  return { HTTP_PORT: String(await freePort()), HTTPS_PORT: String(await freePort()), EDGE_NAME: name };
}
