/**
 * A door in front of the Docker Engine that tests can close: requests are held before they reach it, or answered so late
 * that the asker is dead by then. Everything that passes is the real Engine.
 */
import { once } from 'node:events';
import { createServer, request as send, type IncomingMessage, type Server } from 'node:http';
import { rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';

const ENGINE = '/var/run/docker.sock';

interface Hold {
  readonly pattern: RegExp;
  /** Let the Engine do it, and keep the answer. */
  readonly answer: boolean;
  readonly reached: () => void;
}

export class DockerProxy {
  readonly host: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #hold: Hold | undefined;
  readonly #frozen = new Set<string>();
  #away = false;

  private constructor(path: string) {
    this.host = `unix://${path}`;
    this.#server = createServer((request, response) => {
      const { method, url, headers } = request;
      if (this.#isFrozen(request)) return;
      const held = this.#held(request);
      if (held && !held.answer) return;
      const onward = send({ socketPath: ENGINE, method, path: url, headers }, (answer) => {
        if (held) return;
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
    });
    // BuildKit's session and attached streams leave HTTP.
    this.#server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      const engine = connect(ENGINE);
      const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/1.1`];
      for (let index = 0; index < request.rawHeaders.length; index += 2) {
        lines.push(`${request.rawHeaders[index] ?? ''}: ${request.rawHeaders[index + 1] ?? ''}`);
      }
      engine.write(`${lines.join('\r\n')}\r\n\r\n`);
      engine.write(head);
      engine.pipe(socket).pipe(engine);
      for (const end of [engine, socket]) end.on('error', () => (engine.destroy(), socket.destroy()));
    });
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket.on('close', () => this.#sockets.delete(socket)));
      if (this.#away) socket.destroy();
    });
  }

  static async start(): Promise<DockerProxy> {
    const path = join(tmpdir(), `flukedeploy-docker-${randomUUID().slice(0, 8)}.sock`);
    const proxy = new DockerProxy(path);
    proxy.#server.listen(path);
    await once(proxy.#server, 'listening');
    return proxy;
  }

  /** The next request that matches is held; resolves when it has come. `answer`: the Engine does it, and the answer is lost. */
  hold(pattern: RegExp, { answer = false } = {}): Promise<void> {
    return new Promise((resolve) => (this.#hold = { pattern, answer, reached: resolve }));
  }

  /** From now on no request that names this reaches the Engine, so that whoever works on it stays where it is. */
  freeze(name: string): void {
    this.#frozen.add(name);
  }

  /** For the next ones; those that are held were their askers' affair. */
  thaw(): void {
    this.#frozen.clear();
  }

  /** Every connection is refused, as if the Engine were not running. */
  setAway(away: boolean): void {
    this.#away = away;
    if (away) for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.host.slice('unix://'.length), { force: true });
  }

  #isFrozen({ url = '' }: IncomingMessage): boolean {
    return [...this.#frozen].some((name) => url.includes(name));
  }

  #held({ method, url }: IncomingMessage): Hold | undefined {
    const hold = this.#hold;
    if (!hold?.pattern.test(`${method ?? ''} ${url ?? ''}`)) return undefined;
    this.#hold = undefined;
    hold.reached();
    return hold;
  }
}
