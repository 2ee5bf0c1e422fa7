/** An HTTP server of a test that can stop and come back, at the same address. */
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export abstract class ReturningServer {
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The second start takes the port of the first. */
  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.serve(request, response));
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    this.#server?.closeAllConnections();
    await closed;
  }

  protected abstract serve(...asked: Parameters<RequestListener>): Promise<void>;
}
