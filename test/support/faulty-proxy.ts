/** A proxy of bytes between a load and an app, whose target can be changed and which breaks connections in chosen ways. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export type Fault =
  | 'none'
  /** The connection ends within the answer. */
  | 'truncate'
  /** The last byte of an answer is another one. */
  | 'corrupt'
  /** The status is one that nobody expects. */
  | 'misdirect'
  /** The answer never comes. */
  | 'swallow'
  /** A connection ends at its second request. */
  | 'close_kept';

const CUT_OFF_BYTES = 10;

interface Pair {
  readonly client: Socket;
  readonly app: Socket;
  upgraded: boolean;
  answered: boolean;
}

export class FaultyProxy {
  /** Where new connections go. */
  target: number;
  /** What happens to every byte from now on; WebSockets are spared. */
  fault: Fault = 'none';
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.target = target;
    server.on('connection', (client) => this.#join(client));
  }

  static async start(target: number): Promise<FaultyProxy> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultyProxy(server, target);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Breaks every WebSocket that is open, without a close frame. */
  cutWebSockets(): void {
    for (const { client, upgraded } of this.#pairs) if (upgraded) client.destroy();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const { client } of this.#pairs) client.destroy();
    await closed;
  }

  #join(client: Socket): void {
    const pair: Pair = { client, app: connect(this.target, '127.0.0.1'), upgraded: false, answered: false };
    this.#pairs.add(pair);
    for (const socket of [pair.client, pair.app]) {
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
    }
    pair.client.on('data', (chunk) => this.#ask(pair, chunk));
    pair.client.on('close', () => {
      pair.app.destroy();
      this.#pairs.delete(pair);
    });
    pair.app.on('data', (chunk) => this.#answer(pair, chunk));
    // Who is to wait in vain must not learn that the app is done.
    pair.app.on('end', () => this.fault === 'swallow' || pair.client.end());
    pair.app.on('close', () => this.fault === 'swallow' || pair.client.destroy());
  }

  #ask(pair: Pair, chunk: Buffer): void {
    pair.upgraded ||= chunk.includes('Upgrade: websocket');
    if (this.fault === 'close_kept' && pair.answered && !pair.upgraded) pair.client.destroy();
    else pair.app.write(chunk);
  }

  #answer(pair: Pair, chunk: Buffer): void {
    pair.answered = true;
    switch (pair.upgraded ? 'none' : this.fault) {
      case 'none':
      case 'close_kept':
        pair.client.write(chunk);
        break;
      case 'truncate':
        pair.client.end(chunk.subarray(0, -CUT_OFF_BYTES));
        break;
      case 'corrupt':
        pair.client.write(Buffer.concat([chunk.subarray(0, -1), Buffer.from('!')]));
        break;
      case 'misdirect':
        pair.client.write(Buffer.from(chunk.toString('latin1').replace(/^HTTP\/1.1 200/, 'HTTP/1.1 404'), 'latin1'));
        break;
      case 'swallow':
        break;
    }
  }
}
