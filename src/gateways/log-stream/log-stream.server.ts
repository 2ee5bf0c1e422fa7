/** The stream's own port: an HTTP server that does nothing but upgrade to WebSocket. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { WebSocketServer } from 'ws';
import { LIMITS } from '../../domain/limits.js';
import { LogStreamOptions } from './log-stream.options.js';
import { StreamAdmission, SUBPROTOCOL } from './stream-admission.js';

/** Who does not answer our goodbye within this time is cut off. */
const CLOSE_TIMEOUT_MS = 5_000;

@Injectable()
export class LogStreamServer implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly sockets: WebSocketServer;
  private readonly logger = new Logger(LogStreamServer.name);
  private readonly http: Server;

  constructor(
    private readonly options: LogStreamOptions,
    admission: StreamAdmission,
  ) {
    this.http = createServer((_request, response) => {
      response.writeHead(426, { connection: 'Upgrade', upgrade: 'websocket', 'content-type': 'text/plain' });
      response.end('This port speaks WebSocket.\n');
    });
    // A spread, because the types of ws do not know this option of it.
    const closeTimeout = { closeTimeout: CLOSE_TIMEOUT_MS };
    this.sockets = new WebSocketServer({
      ...closeTimeout,
      server: this.http,
      path: '/',
      maxPayload: LIMITS.socket_message_bytes,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
      verifyClient: ({ req, origin }: { req: Parameters<StreamAdmission['check']>[0]; origin?: string }, answer) => {
        void admission.check(req, origin).then((refusal) => {
          if (refusal === undefined) answer(true);
          else if (refusal.status === 401) answer(false, 401, refusal.reason, { 'WWW-Authenticate': 'Bearer' });
          else answer(false, refusal.status, refusal.reason);
        });
      },
    });
  }

  /** Rejects when the port is taken. */
  async onApplicationBootstrap(): Promise<void> {
    this.http.listen(this.options.port, this.options.host);
    await once(this.http, 'listening');
    this.logger.log(`Log stream on ${this.url}`);
  }

  get url(): string {
    const { address, family, port } = this.http.address() as AddressInfo;
    return `ws://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Those who are connected stay. */
  stopAccepting(): void {
    this.http.close();
  }

  async onApplicationShutdown(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise<void>((resolve) => this.http.close(() => resolve()));
  }
}
