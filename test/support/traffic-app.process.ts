/** The app that takes the traffic of the load tests: every answer names its version, and the environment makes it misbehave. No packages, no other files. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Server, type Socket } from 'node:net';

const setting = (name: string, fallback = ''): string => process.env[name] ?? fallback;
const number = (name: string, fallback = 0): number => Number(setting(name, String(fallback)));

const VERSION = setting('VERSION', 'v1');
const ERROR_PERCENT = number('ERROR_PERCENT');
const EXTRA_LATENCY_MS = number('EXTRA_LATENCY_MS');
const UNHEALTHY_AFTER_MS = number('UNHEALTHY_AFTER_MS', Infinity);
const DRAIN_MS = number('DRAIN_MS', 3_000);
const STREAM_LINES = 10;
/** RFC 6455 §1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const GOING_AWAY = 1001;

const began = Date.now();
const webSockets = new Set<Socket>();
const hog: Buffer[] = [];
let asked = 0;
let stopping = false;

const after = (ms: number, work: () => void): void => void setTimeout(work, ms);
const hash = (body: Buffer): string => createHash('sha256').update(body).digest('hex');

function answer(response: ServerResponse, status: number, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, { 'content-length': bytes.length, 'x-body-sha256': hash(bytes) });
  response.end(bytes);
}

/** Of any hundred requests in a row so many fail, evenly spread: the same ones in every run. */
function isToFail(): boolean {
  const share = (count: number): number => Math.floor((count * ERROR_PERCENT) / 100);
  return share(++asked) > share(asked - 1);
}

function page(response: ServerResponse): void {
  if (isToFail()) answer(response, 500, `${VERSION} fails on purpose\n`);
  else answer(response, 200, `${VERSION} ${'.'.repeat(2_000)} end\n`);
}

/** Length and hash of what came. */
function echo(request: IncomingMessage, response: ServerResponse): void {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks);
    answer(response, 200, JSON.stringify({ length: body.length, sha256: hash(body) }));
  });
}

/** Numbered lines, evenly over the time. */
function stream(response: ServerResponse, ms: number): void {
  response.writeHead(200);
  let line = 0;
  const next = (): void => {
    response.write(`line ${++line} of ${STREAM_LINES}\n`);
    if (line < STREAM_LINES) after(ms / STREAM_LINES, next);
    else response.end();
  };
  next();
}

function health(response: ServerResponse): void {
  const age = Date.now() - began;
  const isSick = age < number('HEALTHY_AFTER_MS') || age >= UNHEALTHY_AFTER_MS;
  const status = isSick ? 503 : number('HEALTH_STATUS', 200);
  answer(response, status, status < 400 ? 'healthy\n' : 'unhealthy on purpose\n');
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** How long a slow answer takes. */
  readonly ms: number;
}

const ROUTES: Readonly<Record<string, (exchange: Exchange) => void>> = {
  'GET /': ({ response }) => {
    if (EXTRA_LATENCY_MS > 0) after(EXTRA_LATENCY_MS, () => page(response));
    else page(response);
  },
  'GET /slow': ({ response, ms }) => after(ms, () => answer(response, 200, `${VERSION} took ${ms} ms\n`)),
  'GET /stream': ({ response, ms }) => stream(response, ms),
  'POST /echo': ({ request, response }) => echo(request, response),
  'GET /health': ({ response }) => health(response),
};

function route(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://app');
  response.setHeader('x-version', VERSION);
  if (stopping) response.setHeader('connection', 'close');
  const serve = ROUTES[`${request.method ?? ''} ${pathname}`];
  if (serve) serve({ request, response, ms: Number(searchParams.get('ms') ?? 1_500) });
  else answer(response, 404, 'no such page\n');
}

/** An unmasked frame that is whole (RFC 6455 §5.2). */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const header = Buffer.from(length < 126 ? [0x80 | opcode, length] : [0x80 | opcode, 126, length >> 8, length & 0xff]);
  return Buffer.concat([header, payload]);
}

function closeFrame(code: number): Buffer {
  return frame(8, Buffer.from([code >> 8, code & 0xff]));
}

/** Answers every text with version and text, pings with pongs, a close with a close. Whole frames of less than 64 kB only. */
function serveWebSocket(socket: Socket, head: Buffer): void {
  let bytes = head;
  const read = (): void => {
    for (;;) {
      const [first = 0, second = 0] = bytes;
      const short = second & 0x7f;
      const headerLength = short === 126 ? 4 : 2;
      if (bytes.length < headerLength) return;
      const length = short === 126 ? bytes.readUInt16BE(2) : short;
      const begin = headerLength + 4;
      if (bytes.length < begin + length) return;
      const mask = bytes.subarray(headerLength, begin);
      const payload = bytes.subarray(begin, begin + length).map((byte, index) => byte ^ (mask[index % 4] ?? 0));
      bytes = bytes.subarray(begin + length);
      const text = Buffer.from(payload);
      switch (first & 0x0f) {
        case 1:
          socket.write(frame(1, Buffer.concat([Buffer.from(`${VERSION} `), text])));
          break;
        case 8:
          // Who was told to go away answers with the same; saying it twice would be wrong.
          if (stopping) socket.end();
          else socket.end(frame(8, text.subarray(0, 2)));
          return;
        case 9:
          socket.write(frame(10, text));
          break;
        default:
      }
    }
  };
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    read();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => webSockets.delete(socket));
  webSockets.add(socket);
  read();
  // It came while the others were told to go.
  if (stopping) socket.write(closeFrame(GOING_AWAY));
}

const server = createServer(route);
server.keepAliveTimeout = 60_000;
server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key'] ?? ''}${ACCEPT_GUID}`);
  socket.setNoDelay(true);
  socket.write(
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      `Sec-WebSocket-Accept: ${accept.digest('base64')}\r\nX-Version: ${VERSION}\r\n\r\n`,
  );
  serveWebSocket(socket, head);
});

/**
 * Ends without anybody noticing: no new connections, every open one gets its answers and the last of them says `close`. An idle
 * connection is left open, since closing it could meet a request on its way; after DRAIN_MS it ends anyway.
 */
function stopGracefully(): void {
  if (stopping) return;
  stopping = true;
  // That of http would close the idle connections.
  Server.prototype.close.call(server, () => process.exit(0));
  for (const socket of webSockets) socket.write(closeFrame(GOING_AWAY));
  after(DRAIN_MS, () => process.exit(0));
}

process.on('SIGTERM', () => {
  const manner = setting('ON_SIGTERM', 'graceful');
  if (manner === 'exit') process.exit(0);
  if (manner === 'graceful') stopGracefully();
});

for (let megabytes = 0; megabytes < number('MEMORY_HOG_MB'); megabytes++) hog.push(Buffer.alloc(1024 * 1024, 1));

const listen = (): void => {
  server.listen(number('PORT', 3_000), () => {
    const address = server.address();
    console.log(`${VERSION} listens on ${typeof address === 'object' ? (address?.port ?? 0) : 0}`);
  });
};
if (number('LISTEN_AFTER_MS') > 0) after(number('LISTEN_AFTER_MS'), listen);
else listen();

if (process.env['CRASH_AFTER_MS'] !== undefined)
  after(number('CRASH_AFTER_MS'), () => {
    console.error(`${VERSION} crashes on purpose`);
    process.exit(number('EXIT_CODE', 1));
  });
