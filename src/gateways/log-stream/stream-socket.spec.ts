import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConsoleLogger } from '@nestjs/common';
import { WebSocket } from 'ws';
import { startLogStream, type RunningLogStream } from '../../../test/support/log-stream-server.js';
import { StreamProbe, told } from '../../../test/support/stream-probe.js';
import { eventually } from '../../../test/support/eventually.js';
import { LogStreamServer } from './log-stream.server.js';
import { textFrame } from './log-frames.js';

const MEGABYTE = 1024 * 1024;
const LONG_LINE = 'x'.repeat(16_000);
/** More than the kernel takes for a client that does not read. */
const FLOOD = Array.from({ length: 1_500 }, (_, index) => `${index} ${LONG_LINE}`);

/** A client that shakes hands and then answers nothing, not even pings. */
async function deafClient(url: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
  );
  await once(socket, 'data');
  return socket;
}

describe('a connection of the log stream', () => {
  let stream: RunningLogStream;
  afterEach(() => stream.app.close());
  const serverSockets = (): WebSocket[] => [...stream.app.get(LogStreamServer).sockets.clients];
  const buffered = (): number => Math.max(0, ...serverSockets().map(({ bufferedAmount }) => bufferedAmount));

  it('that answers no pings is cut, one that does stays', async () => {
    stream = await startLogStream({ options: { pingIntervalMs: 40 } });
    const alive = await StreamProbe.connect(stream.url);
    const pings: unknown[] = [];
    alive.socket.on('ping', (data) => pings.push(data));
    const deaf = await deafClient(stream.url);
    await once(deaf.resume(), 'close');
    await eventually(() => pings.length > 6);
    expect(await alive.ask({ action: 'get_stats' })).toMatchObject({ connected_clients: 1, total_connections: 2 });
  });

  it('whose client stops reading is bounded, and later caught up from the store', async () => {
    stream = await startLogStream();
    const slow = await StreamProbe.subscribed(stream.url);
    const quick = await StreamProbe.subscribed(stream.url, { filter: { app_name: 'other' } });
    const deployment = await stream.deployment('dep-1');
    await slow.take();
    slow.socket.pause();
    let most = 0;
    for (let from = 0; from < FLOOD.length; from += 100) {
      await deployment.lines(FLOOD.slice(from, from + 100));
      most = Math.max(most, buffered());
    }
    await eventually(async () => (await quick.ask({ action: 'get_stats' }))['catching_up'] === 1);
    expect(Math.max(most, buffered())).toBeLessThan(MEGABYTE);

    slow.socket.resume();
    expect((await slow.takeMany(FLOOD.length)).map(told)).toEqual(FLOOD);
    await deployment.lines(['live again']);
    expect(told(await slow.take())).toBe('live again');
  });

  it('whose client replays without reading is bounded too', async () => {
    stream = await startLogStream();
    const deployment = await stream.deployment('dep-1');
    await deployment.lines(FLOOD);
    const slow = await StreamProbe.subscribed(stream.url, { since: 'beginning' });
    let most = 0;
    while (told(slow.frames.at(-1) ?? {}) !== 'live') {
      slow.socket.pause();
      most = Math.max(most, buffered());
      await new Promise(setImmediate);
      slow.socket.resume();
      await new Promise(setImmediate);
    }
    expect(most).toBeLessThan(MEGABYTE);
    expect(slow.frames.slice(2, -1).map(told)).toEqual(FLOOD);
  });

  it('whose client takes nothing for too long is closed with 4008', async () => {
    stream = await startLogStream({ options: { slowConsumerMs: 100 } });
    const slow = await StreamProbe.subscribed(stream.url);
    const deployment = await stream.deployment('dep-1');
    slow.socket.pause();
    await deployment.lines(FLOOD);
    await eventually(() => serverSockets()[0]?.readyState === WebSocket.CLOSING);
    slow.socket.resume();
    expect(await slow.closed).toEqual({ code: 4008, reason: 'slow_consumer' });
    const got = slow.frames.filter((frame) => '@type' in frame).map(told);
    expect(got).toEqual([expect.stringContaining('requested'), ...FLOOD].slice(0, got.length));
  });

  it('whose client asks without reading the answers is not listened to for ever', async () => {
    stream = await startLogStream();
    const greedy = await StreamProbe.connect(stream.url);
    greedy.socket.pause();
    const question = JSON.stringify({ action: 'ping', id: 'i'.repeat(200) });
    const [server] = serverSockets();
    while (!(server?.isPaused && server.bufferedAmount > 256 * 1024)) {
      for (let count = 0; count < 100; count++) greedy.send(question);
      await new Promise(setImmediate);
    }
    expect(buffered()).toBeLessThan(2 * MEGABYTE);
    greedy.cut();
  });

  it('carries joined frames, single ones and pings in between intact', async () => {
    stream = await startLogStream({ options: { pingIntervalMs: 5 } });
    const client = await StreamProbe.subscribed(stream.url, { since: 'now' });
    const pings: unknown[] = [];
    client.socket.on('ping', (data) => pings.push(data));
    const deployment = await stream.deployment('dep-1');
    const lines: string[] = [];
    for (let round = 0; round < 60; round++) {
      const batch = Array.from(
        { length: 1 + (round % 20) },
        (_, index) => `${round}/${index} ${'→'.repeat(round * 50)}`,
      );
      lines.push(...batch);
      if (round % 8 === 0) client.send({ action: 'ping', id: round });
      if (round % 20 === 0) client.send({ action: 'get_stats', id: round });
      client.socket.ping();
      await deployment.lines(batch);
    }
    await eventually(() => told(client.frames.at(-1) ?? {}) === lines.at(-1) && pings.length > 5);
    expect(
      client.frames
        .filter((frame) => '@type' in frame)
        .slice(1)
        .map(told),
    ).toEqual(lines);
    const answers = client.frames.filter(({ id, type }) => type !== undefined && id !== undefined);
    expect(answers.map(({ type, id }) => [type, id])).toEqual([
      ['pong', 0],
      ['stats', 0],
      ['pong', 8],
      ['pong', 16],
      ['stats', 20],
      ['pong', 24],
      ['pong', 32],
      ['pong', 40],
      ['stats', 40],
      ['pong', 48],
      ['pong', 56],
    ]);
  });

  it('that sends an oversize message is closed with 1009, without a stack in the log', async () => {
    const lines: string[] = [];
    class Recorder extends ConsoleLogger {
      override error(...parts: unknown[]): void {
        lines.push(parts.join(' '));
      }
    }
    stream = await startLogStream({ logger: new Recorder({ logLevels: ['error'] }) });
    const client = await StreamProbe.connect(stream.url);
    client.send(`"${'x'.repeat(64 * 1024)}"`);
    expect((await client.closed).code).toBe(1009);
    expect(lines).toEqual([]);
  });

  it('survives fragments with a ping between, and answers broken frames with their close code', async () => {
    stream = await startLogStream();
    const client = await StreamProbe.connect(stream.url);
    client.socket.send('{"action":', { fin: false });
    client.socket.ping();
    client.socket.send('"ping"}', { fin: true });
    expect(await client.take()).toEqual({ type: 'pong' });
    // Clients must mask; this frame is not.
    const deaf = await deafClient(stream.url);
    deaf.write(textFrame('{"action":"ping"}'));
    const [answer] = (await once(deaf, 'data')) as [Buffer];
    expect(answer.readUInt16BE(2)).toBe(1002);
  });

  it('is told of the shutdown and closed with 1012', async () => {
    stream = await startLogStream({ options: { farewellMs: 100 } });
    const client = await StreamProbe.connect(stream.url);
    const deaf = await deafClient(stream.url);
    await stream.app.close();
    expect(await client.closed).toEqual({ code: 1012, reason: 'restart' });
    expect(client.frames).toEqual([{ type: 'closing', reconnect_after_ms: expect.any(Number) }]);
    await expect(StreamProbe.connect(stream.url)).rejects.toThrow('ECONNREFUSED');
    deaf.destroy();
  });

  it('on another path, or without an upgrade, is refused in HTTP', async () => {
    stream = await startLogStream();
    await expect(StreamProbe.connect(`${stream.url}/metrics`)).rejects.toThrow('400');
    const answer = await fetch(stream.url.replace('ws:', 'http:'));
    expect([answer.status, answer.headers.get('upgrade')]).toEqual([426, 'websocket']);
  });

  it('cannot be made where the port is taken, and the start says so', async () => {
    stream = await startLogStream();
    const port = Number(new URL(stream.url).port);
    await expect(startLogStream({ options: { port } })).rejects.toThrow('EADDRINUSE');
  });
});
