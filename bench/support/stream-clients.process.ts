/** The process of StreamClients: WebSockets on bare sockets, which read frame headers and skip everything else. */
import { connect } from 'node:net';
import { now } from './benchmark.ts';
import type { Order, Report } from './stream-clients.ts';

/** Notices are shorter, entries longer. */
const SHORTEST_ENTRY_BYTES = 200;
const CONNECT_AT_ONCE = 100;
const PING = 0x89;
/** An empty one, masked by zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

interface FrameReader {
  read(chunk: Buffer): void;
}

let clients = 0;
let wanted: { entries: number; times: Float64Array; missing: number } | undefined;
let counts = new Uint32Array();

/** Calls back with the first byte and the payload's length of every frame, at the frame's end. */
function frameReader(frame: (first: number, length: number) => void): FrameReader {
  const header = Buffer.alloc(10);
  let [have, length, left] = [0, 0, 0];
  return {
    read(chunk) {
      for (let at = 0; at < chunk.length;) {
        if (left > 0) {
          const taken = Math.min(left, chunk.length - at);
          left -= taken;
          at += taken;
        } else {
          header[have++] = chunk[at++]!;
          const short = header[1]!;
          const headerLength = have < 2 || short < 126 ? 2 : short === 126 ? 4 : 10;
          if (have < headerLength) continue;
          length = short < 126 ? short : short === 126 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
          left = length;
        }
        if (left > 0) continue;
        frame(header[0]!, length);
        have = 0;
      }
    },
  };
}

/** Resolves with the first message. */
function connectOne(url: URL, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let handshake = '';
    let open = false;
    const frames = frameReader((first, length) => {
      if (first === PING) socket.write(PONG);
      else if (length < SHORTEST_ENTRY_BYTES) resolve();
      else received(index);
    });
    const onread = {
      buffer: Buffer.allocUnsafe(64 * 1024),
      callback: (bytes: number, buffer: Uint8Array): boolean => {
        const chunk = Buffer.from(buffer.buffer, buffer.byteOffset, bytes);
        if (open) frames.read(chunk);
        else {
          handshake += chunk.toString('latin1');
          const end = handshake.indexOf('\r\n\r\n');
          open = end >= 0;
          if (open) frames.read(Buffer.from(handshake.slice(end + 4), 'latin1'));
        }
        return true;
      },
    };
    const socket = connect({ host: url.hostname, port: Number(url.port), onread });
    socket.on('error', reject);
    socket.on('close', () => {
      throw new Error(`client ${index} was disconnected`);
    });
    socket.write(
      `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
  });
}

function received(client: number): void {
  if (wanted === undefined) return;
  const count = counts[client]!++;
  if (count >= wanted.entries) throw new Error(`client ${client} got more than ${wanted.entries} entries`);
  if (wanted.times.length > 0) wanted.times[count * clients + client] = now();
  if (--wanted.missing === 0) {
    report({ done: now(), times: wanted.times });
    wanted = undefined;
  }
}

function report(message: Report): void {
  process.send?.(message);
}

process.on('message', (order: Order) => {
  if ('receive' in order) {
    const { entries, keepTimes } = order.receive;
    counts = new Uint32Array(clients);
    wanted = { entries, times: new Float64Array(keepTimes ? entries * clients : 0), missing: entries * clients };
  } else {
    void connectAll(new URL(order.connect.url), order.connect.clients);
  }
});

async function connectAll(url: URL, count: number): Promise<void> {
  for (; clients < count; clients = Math.min(count, clients + CONNECT_AT_ONCE)) {
    const batch = Math.min(CONNECT_AT_ONCE, count - clients);
    await Promise.all(Array.from({ length: batch }, (_, index) => connectOne(url, clients + index)));
  }
  report({ done: now(), times: new Float64Array() });
}
