/** Nest's WebSocket adapter as the log stream needs it: its own server, every message answered, one after the other. */
import { Logger, type INestApplication } from '@nestjs/common';
import { WsAdapter } from '@nestjs/platform-ws';
import type { MessageMappingProperties } from '@nestjs/websockets';
import {
  catchError,
  concat,
  concatMap,
  defer,
  EMPTY,
  finalize,
  first,
  fromEvent,
  map,
  of,
  takeUntil,
  type Observable,
} from 'rxjs';
import type { MessageEvent, WebSocket, WebSocketServer } from 'ws';
import { LogStreamServer } from './log-stream.server.js';
import { OPENED, parseMessage, type StreamEvent } from './stream-request.js';

const OPENING: StreamEvent = { event: OPENED, data: { fields: {} } };

/** `app.useWebSocketAdapter(new LogStreamAdapter(app))`; serves the LogStreamGateway and no other. */
export class LogStreamAdapter extends WsAdapter {
  private readonly log = new Logger(LogStreamAdapter.name);

  constructor(private readonly app: INestApplication) {
    super(app);
  }

  override create(): WebSocketServer {
    return this.bindErrorHandler(this.app.get(LogStreamServer, { strict: false }).sockets);
  }

  /** While a message is handled nothing more is read from its client, so what waits is at most what had been read. */
  override bindMessageHandlers(
    client: WebSocket,
    handlers: MessageMappingProperties[],
    transform: (data: unknown) => Observable<unknown>,
  ): void {
    const callbacks = new Map<unknown, MessageMappingProperties['callback']>(
      handlers.map(({ message, callback }) => [message, callback]),
    );
    const handle = ({ event, data }: StreamEvent): Observable<unknown> =>
      defer(() => {
        client.pause();
        return transform(callbacks.get(event)?.(data));
      }).pipe(
        catchError((error: unknown) => {
          this.log.error(error);
          return EMPTY;
        }),
        finalize(() => client.resume()),
      );
    const messages = (fromEvent(client, 'message') as Observable<MessageEvent>).pipe(
      map(({ data }) => parseMessage((data as string | Buffer).toString())),
    );
    concat(of(OPENING), messages)
      .pipe(concatMap(handle), takeUntil(fromEvent(client, 'close').pipe(first())))
      .subscribe();
  }

  /** What a client can cause, such as an oversize message, is worth a line, not a stack. */
  override bindErrorHandler(server: WebSocketServer): WebSocketServer {
    server.on('connection', (client) => {
      client.on('error', (error) => this.log.debug(`A client's connection failed: ${error.message}`));
    });
    server.on('error', (error) => this.log.error(`The log stream's port failed: ${error.message}`));
    return server;
  }
}
