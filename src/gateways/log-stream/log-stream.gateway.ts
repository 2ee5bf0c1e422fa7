/** The log stream on port 8767: what each action of a client does and answers. */
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Logger, type BeforeApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import {
  SubscribeMessage,
  WebSocketGateway,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
} from '@nestjs/websockets';
import type { WebSocket } from 'ws';
import { LogHub } from '../../modules/logs/index.js';
import { LogFanOut } from './log-fan-out.js';
import { parseSubscription, Selection, urlFields, type StreamFilter } from './log-filter.js';
import { LogReplay } from './log-replay.js';
import { LogStreamOptions } from './log-stream.options.js';
import { LogStreamServer } from './log-stream.server.js';
import { LogSubscriber, type LogSources } from './log-subscriber.js';
import { StreamAdmission } from './stream-admission.js';
import { StreamClient } from './stream-client.js';
import { errorMessage, StreamError } from './stream-error.js';
import { addressOf, StreamRefusals } from './stream-refusals.js';
import { INVALID, isObject, OPENED, type StreamRequest } from './stream-request.js';
import { StreamSession } from './stream-session.js';
import { CLOSE, StreamSocket } from './stream-socket.js';

type Reply = (message: object) => void;
type Action = (client: StreamClient, reply: Reply) => void | Promise<void>;

/** Clients come back between the first and the second after a restart, not all at once. */
const RECONNECT_AFTER_MS = [1_000, 3_000] as const;

@WebSocketGateway()
export class LogStreamGateway
  implements
    LogSources,
    OnModuleInit,
    OnGatewayConnection<WebSocket>,
    OnGatewayDisconnect<WebSocket>,
    BeforeApplicationShutdown
{
  private readonly logger = new Logger(LogStreamGateway.name);
  private readonly clients = new Map<WebSocket, StreamClient>();
  private readonly traffic = { messages_sent: 0, total_connections: 0, started: performance.now() };
  private unsubscribe: () => void = () => undefined;

  constructor(
    readonly hub: LogHub,
    readonly replay: LogReplay,
    readonly fanOut: LogFanOut,
    private readonly admission: StreamAdmission,
    private readonly refusals: StreamRefusals,
    private readonly server: LogStreamServer,
    private readonly options: LogStreamOptions,
  ) {}

  onModuleInit(): void {
    this.unsubscribe = this.hub.subscribe((batch) => this.fanOut.deliver(batch, this.hub.place));
  }

  handleConnection(webSocket: WebSocket, request: IncomingMessage): void {
    const socket = new StreamSocket(webSocket, this.options, this.traffic);
    const identification = this.admission.identificationOf(request);
    const session = new StreamSession(this.admission, this.options, identification, (reason) => {
      socket.close(CLOSE.unauthenticated, reason);
      void this.refusals.unauthenticated(client, reason);
    });
    const client = new StreamClient(request.url ?? '/', addressOf(request), socket, session);
    this.traffic.total_connections++;
    this.clients.set(webSocket, client);
  }

  handleDisconnect(webSocket: WebSocket): void {
    this.clients.get(webSocket)?.end();
    this.clients.delete(webSocket);
  }

  /** The parameters of the URL are a first subscribe, which waits for the token where one is needed. */
  @SubscribeMessage(OPENED)
  async opened(webSocket: WebSocket): Promise<void> {
    const client = this.clients.get(webSocket);
    if (!client?.session.admitted || !client.url.includes('?')) return;
    await this.answer(webSocket, { fields: {} }, (_client, reply) => this.follow(client, urlFields(client.url), reply));
  }

  @SubscribeMessage('subscribe')
  async subscribe(webSocket: WebSocket, request: StreamRequest): Promise<void> {
    const { filter = {}, ...since } = request.fields;
    // `since` may stand beside the filter or in it, as it does in a URL.
    const fields = isObject(filter) ? { ...filter, ...since } : filter;
    await this.answer(webSocket, request, (client, reply) => this.follow(client, fields, reply));
  }

  @SubscribeMessage('unsubscribe')
  async stop(webSocket: WebSocket, request: StreamRequest): Promise<void> {
    await this.answer(webSocket, request, (client, reply) => {
      client.unfollow();
      reply({ type: 'unsubscribed' });
    });
  }

  @SubscribeMessage('get_stats')
  async stats(webSocket: WebSocket, request: StreamRequest): Promise<void> {
    await this.answer(webSocket, request, (_client, reply) => {
      const { messages_sent, total_connections, started } = this.traffic;
      const subscriptions = [...this.clients.values()].filter(({ subscribed }) => subscribed).length;
      reply({
        type: 'stats',
        connected_clients: this.clients.size,
        total_connections,
        messages_sent,
        uptime_seconds: Math.floor((performance.now() - started) / 1_000),
        subscriptions,
        catching_up: subscriptions - this.fanOut.live,
      });
    });
  }

  @SubscribeMessage('ping')
  async ping(webSocket: WebSocket, request: StreamRequest): Promise<void> {
    await this.answer(webSocket, request, (_client, reply) => reply({ type: 'pong' }));
  }

  @SubscribeMessage('authenticate')
  async authenticate(webSocket: WebSocket, request: StreamRequest): Promise<void> {
    const admittedBefore = this.clients.get(webSocket)?.session.admitted;
    const action: Action = async (client, reply) => {
      await client.session.authenticate(request.fields['token']);
      reply({ type: 'authenticated' });
    };
    await this.answer(webSocket, request, action, 'anybody');
    if (!admittedBefore) await this.opened(webSocket);
  }

  @SubscribeMessage(INVALID)
  async invalid(webSocket: WebSocket, request: StreamRequest): Promise<void> {
    await this.answer(webSocket, request, () => {
      throw request.error ?? new StreamError('invalid_message');
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    this.server.stopAccepting();
    const clients = [...this.clients.values()];
    const [soonest, latest] = RECONNECT_AFTER_MS;
    for (const { socket } of clients) {
      const reconnect_after_ms = Math.round(soonest + Math.random() * (latest - soonest));
      socket.send({ type: 'closing', reconnect_after_ms });
      socket.close(CLOSE.restart, 'restart');
    }
    const everybodyLeft = Promise.all(clients.map(({ socket }) => socket.closed));
    await Promise.race([everybodyLeft, delay(this.options.farewellMs, undefined, { ref: false })]);
  }

  /** The answer and the start of the stream are one step, so that no entry comes before the answer. */
  private async follow(client: StreamClient, fields: unknown, reply: Reply): Promise<void> {
    if (fields === undefined) return;
    const { filter, since } = parseSubscription(fields);
    await this.recordForeign(client, filter);
    const place = await this.replay.placeOf(since);
    if (!client.socket.open) return;
    reply({ type: 'subscribed', filter, ...(since !== undefined && { since }) });
    const selection = new Selection(filter, client.session.principal?.apps);
    client.follow(new LogSubscriber(selection, client.socket, this, place, since !== undefined));
  }

  /** What a limited token names of others: the subscription brings nothing of it, and does not say why. */
  private async recordForeign(client: StreamClient, { app_name, deployment_id }: StreamFilter): Promise<void> {
    if (client.session.principal?.apps === undefined) return;
    await this.refusals.foreignApp(client, app_name);
    if (deployment_id === undefined) return;
    // What cannot be looked up now cannot be streamed now either.
    const owner = await this.replay.appOf(deployment_id).catch(() => undefined);
    if (owner !== app_name) await this.refusals.foreignApp(client, owner);
  }

  /** An error is an answer too; it ends the connection only where a token had to come first. */
  private async answer(
    webSocket: WebSocket,
    { id }: StreamRequest,
    action: Action,
    allowed: 'admitted' | 'anybody' = 'admitted',
  ): Promise<void> {
    const client = this.clients.get(webSocket);
    if (client === undefined || !(await client.socket.drained())) return;
    const reply: Reply = (message) => client.socket.send({ ...message, ...(id !== undefined && { id }) });
    try {
      if (!client.mayAsk()) throw new StreamError('rate_limited');
      if (allowed === 'admitted' && !client.session.admitted) throw new StreamError('unauthenticated');
      await action(client, reply);
    } catch (error) {
      const answer = errorMessage(error);
      if (answer.code === 'internal') this.logger.error(error);
      reply(answer);
      if (client.session.admitted) return;
      if (answer.code !== 'unavailable') void this.refusals.unauthenticated(client, answer.message);
      client.socket.close(answer.code === 'unavailable' ? CLOSE.try_again_later : CLOSE.unauthenticated, answer.code);
    }
  }
}
