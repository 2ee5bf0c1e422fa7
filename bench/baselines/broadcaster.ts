/** Baseline of fan-out.bench: `ws` alone. It sends what it is told to every client, each message serialised once and the sockets corked. */
import { WebSocketServer, type WebSocket } from 'ws';
import type { Socket } from 'node:net';

export interface Broadcast {
  /** Sent as JSON. */
  readonly message: object;
  readonly times: number;
}

/** Messages that are written to a client's socket together. */
const BATCH = 500;

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (client) => client.send('{"type":"subscribed"}'));
server.on('listening', () => {
  const address = server.address();
  if (typeof address === 'object') process.send?.(`ws://127.0.0.1:${address?.port ?? 0}`);
});

let sending = Promise.resolve();
process.on('message', (broadcast: Broadcast) => {
  sending = sending.then(() => send(broadcast));
});

/** The next batch waits until the one before has left for the kernel, or memory would fill up. */
async function send({ message, times }: Broadcast): Promise<void> {
  for (let left = times; left > 0; left -= BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, left) }, () => Buffer.from(JSON.stringify(message)));
    await Promise.all([...server.clients].map((client) => sendTo(client, batch)));
  }
}

function sendTo(client: WebSocket, batch: readonly Buffer[]): Promise<void> {
  const { _socket: socket } = client as unknown as { _socket: Socket };
  return new Promise((resolve) => {
    socket.cork();
    batch.forEach((data, index) =>
      client.send(data, { binary: false }, index === batch.length - 1 ? () => resolve() : undefined),
    );
    socket.uncork();
  });
}
