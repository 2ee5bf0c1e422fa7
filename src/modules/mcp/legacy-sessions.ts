/** Sessions of clients that speak a protocol of 2025: each has a server of its own, and hears of the resources it watches. */
import { randomUUID } from 'node:crypto';
import { Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import type { AuthInfo, McpServer, ServerEvent } from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import { DeployError } from '../../domain/errors.js';
import { principalOf } from './caller.js';
import { DeploymentResources } from './deployment-resources.js';
import { McpServers } from './mcp-servers.js';
import type { SessionClient } from './tool-call.js';
import { McpOptions } from './mcp-options.js';

const MOST_SESSIONS = 1_000;
const MOST_SUBSCRIPTIONS = 100;
const IDLE_MS = 30 * 60_000;

interface Session {
  readonly server: McpServer;
  readonly transport: NodeStreamableHTTPServerTransport;
  /** Whose it is: the id alone opens it for nobody else. */
  readonly owner: string;
  readonly watched: Set<string>;
  used: number;
}

@Injectable()
export class LegacySessions implements BeforeApplicationShutdown {
  /** In the order of their last use. */
  readonly #sessions = new Map<string, Session>();
  #isStopping = false;

  constructor(
    private readonly servers: McpServers,
    private readonly resources: DeploymentResources,
    private readonly options: McpOptions,
  ) {}

  /** HTTP waits for open streams before it stops. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#isStopping = true;
    await Promise.all([...this.#sessions.values()].map(({ server }) => server.close()));
    this.#sessions.clear();
  }

  /** `undefined` where there is none of this owner. */
  find(id: string, owner: string): Session | undefined {
    const session = this.#sessions.get(id);
    if (session?.owner !== owner) return undefined;
    this.#sessions.delete(id);
    this.#sessions.set(id, Object.assign(session, { used: performance.now() }));
    return session;
  }

  /**
   * Answers the request that begins a session.
   * @throws DeployError `unavailable` where the server stops: the stream of another session would hold it up
   */
  async begin(
    request: Request & { auth?: AuthInfo },
    response: Response,
    owner: string,
    client: SessionClient,
  ): Promise<void> {
    if (this.#isStopping) throw new DeployError('unavailable', 'The server is about to stop.');
    await this.#makeRoom();
    const watched = new Set<string>();
    const server = this.servers.build(client);
    this.#watch(server, watched);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, { server, transport, owner, watched, used: performance.now() });
      },
      onsessionclosed: (id) => {
        this.#sessions.delete(id);
      },
    });
    transport.onclose = () => {
      if (transport.sessionId !== undefined) this.#sessions.delete(transport.sessionId);
    };
    await server.connect(transport);
    await transport.handleRequest(request, response, request.body);
  }

  tell(event: ServerEvent): void {
    if (event.kind !== 'resource_updated') return;
    const { uri } = event;
    for (const { server, watched } of this.#sessions.values()) {
      // A client that has gone is not told; its session ends by itself.
      if (watched.has(uri)) server.server.sendResourceUpdated({ uri }).catch(() => undefined);
    }
  }

  #watch(server: McpServer, watched: Set<string>): void {
    server.server.setRequestHandler('resources/subscribe', async ({ params: { uri } }, { http }) => {
      const isFixture = this.options.conformanceFixtures && uri.startsWith('test://');
      if (!isFixture) await this.resources.requireReadable(uri, principalOf(http?.authInfo));
      if (watched.size < MOST_SUBSCRIPTIONS) watched.add(uri);
      return {};
    });
    server.server.setRequestHandler('resources/unsubscribe', ({ params: { uri } }) => {
      watched.delete(uri);
      return {};
    });
  }

  async #makeRoom(): Promise<void> {
    const idle = performance.now() - IDLE_MS;
    for (const [id, { server, used }] of this.#sessions) {
      if (used > idle && this.#sessions.size < MOST_SESSIONS) return;
      this.#sessions.delete(id);
      await server.close();
    }
  }
}
