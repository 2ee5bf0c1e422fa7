/** A proxy in front of a server that adds a token to each request: for clients that bring none of their own. */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class TokenProxy {
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** The rest of a request passes as it is, Host and Origin included. */
  static async start(target: string, token: string): Promise<TokenProxy> {
    const { hostname, port } = new URL(target);
    const server = createServer((incoming, outgoing) => {
      const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
      const passed = request({ hostname, port, method: incoming.method, path: incoming.url, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.on('error', () => outgoing.destroy());
      outgoing.on('close', () => passed.destroy());
      incoming.pipe(passed);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TokenProxy(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
