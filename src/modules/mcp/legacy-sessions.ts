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
import { endingFor, type HeldSession } from './session-room.js';

const MOST_SUBSCRIPTIONS = 100;

interface Session extends HeldSession {
  readonly server: McpServer;
  readonly transport: NodeStreamableHTTPServerTransport;
  /** Whose it is: the id alone opens it for nobody else. */
  readonly owner: string;
  readonly watched: Set<string>;
  open: number;
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

  /**
   * In use from here until the response has ended: a client that only listens is one.
   * @returns `undefined` where there is none of this owner
   */
  find(id: string, owner: string, response: Response): Session | undefined {
    const session = this.#sessions.get(id);
    if (session?.owner !== owner) return undefined;
    session.open++;
    this.#touch(id, session);
    response.once('close', () => {
      session.open--;
      this.#touch(id, session);
    });
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
    const watched = new Set<string>();
    const server = this.servers.build(client);
    this.#watch(server, watched);
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: async (id) => {
        const ending = this.#takeOut(owner);
        this.#sessions.set(id, { server, transport, owner, watched, open: 0, used: performance.now() });
        await Promise.all(ending.map((session) => session.server.close()));
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

  #touch(id: string, session: Session): void {
    if (!this.#sessions.delete(id)) return;
    session.used = performance.now();
    this.#sessions.set(id, session);
  }

  /** Without a pause before the next is put in: many that begin at once find no more room than one. */
  #takeOut(owner: string): Session[] {
    return endingFor(owner, this.#sessions, performance.now()).flatMap((id) => {
      const session = this.#sessions.get(id);
      this.#sessions.delete(id);
      return session ? [session] : [];
    });
  }
}
