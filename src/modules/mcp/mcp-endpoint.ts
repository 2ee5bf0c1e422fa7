/** Serves an MCP request in the protocol of its client: stateless as of 2026, or in a session as of 2025. */
import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { toNodeHandler } from '@modelcontextprotocol/node';
import {
  type AuthInfo,
  createMcpHandler,
  isInitializeRequest,
  isLegacyRequest,
  legacyStatelessFallback,
  type McpHttpHandler,
} from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import { LogHub } from '../logs/index.js';
import { clientName, principalOf } from './caller.js';
import { triggers } from './conformance/index.js';
import { deploymentUri, DeploymentResources, logUri } from './deployment-resources.js';
import { LegacySessions } from './legacy-sessions.js';
import { McpServers } from './mcp-servers.js';

/** A JSON-RPC answer beside the SDK's own. */
const RESOURCE_NOT_FOUND = -32_602;
const SESSION_NOT_FOUND = -32_001;

export type McpRequest = Request & { auth?: AuthInfo };

@Injectable()
export class McpEndpoint implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger(McpEndpoint.name);
  readonly #modern: McpHttpHandler;
  readonly #serveModern: ReturnType<typeof toNodeHandler>;
  readonly #serveStateless: ReturnType<typeof toNodeHandler>;
  #unsubscribe: () => void = () => undefined;

  constructor(
    servers: McpServers,
    private readonly sessions: LegacySessions,
    private readonly resources: DeploymentResources,
    private readonly hub: LogHub,
  ) {
    const onerror = (error: Error): void => this.#logger.debug(error.message);
    this.#modern = createMcpHandler(() => servers.build(undefined), { legacy: 'reject', onerror });
    this.#serveModern = toNodeHandler(this.#modern, { onerror });
    const stateless = legacyStatelessFallback(() => servers.build(undefined), onerror);
    this.#serveStateless = toNodeHandler({ fetch: stateless }, { onerror });
  }

  onApplicationBootstrap(): void {
    triggers.connect(this.#modern.notify);
    const forget = this.#modern.bus.subscribe((event) => this.sessions.tell(event));
    const leave = this.hub.subscribe((batch) => {
      for (const id of new Set(batch.map(({ row }) => row.deployment_id)))
        this.#modern.notify.resourceUpdated(logUri(id));
      const changed = batch.filter(({ row }) => row.event_type !== undefined || row.component === 'deployment');
      for (const id of new Set(changed.map(({ row }) => row.deployment_id)))
        this.#modern.notify.resourceUpdated(deploymentUri(id));
    });
    this.#unsubscribe = () => {
      forget();
      leave();
    };
  }

  /** HTTP waits for open streams before it stops. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#unsubscribe();
    await this.#modern.close();
  }

  async serve(request: McpRequest, response: Response): Promise<void> {
    const body: unknown = request.body;
    // Only what decides is looked at: the body has been read already.
    const asked = new Request(`http://localhost${request.path}`, {
      method: request.method,
      headers: headersOf(request),
    });
    if (await isLegacyRequest(asked, body ?? undefined)) return this.#serveLegacy(request, response);
    const hidden = await this.#hiddenOf(body, request);
    if (hidden === undefined) await this.#serveModern(request, response, body);
    else refuse(response, 200, idOf(body), RESOURCE_NOT_FOUND, 'Resource not found', { uri: hidden });
  }

  async #serveLegacy(request: McpRequest, response: Response): Promise<void> {
    const body: unknown = request.body;
    const { actor, token_id } = principalOf(request.auth);
    const owner = `${actor.kind}:${token_id ?? actor.name}`;
    const sessionId = request.header('mcp-session-id');
    if (sessionId !== undefined) {
      const session = this.sessions.find(sessionId, owner, response);
      if (session) await session.transport.handleRequest(request, response, body);
      else refuse(response, 404, idOf(body), SESSION_NOT_FOUND, 'Session not found', {});
      return;
    }
    if (isInitializeRequest(body)) {
      const { clientInfo, capabilities } = body.params;
      return this.sessions.begin(request, response, owner, { name: clientName(clientInfo), capabilities });
    }
    // A script that only calls a tool needs no session.
    return this.#serveStateless(request, response, body);
  }

  /** The first resource it wants to watch and may not see. */
  async #hiddenOf(body: unknown, { auth }: McpRequest): Promise<string | undefined> {
    for (const uri of watchedBy(body)) {
      try {
        await this.resources.requireReadable(uri, principalOf(auth));
      } catch {
        return uri;
      }
    }
    return undefined;
  }
}

function watchedBy(body: unknown): string[] {
  const { method, params } = (body ?? {}) as {
    method?: unknown;
    params?: { notifications?: { resourceSubscriptions?: unknown } };
  };
  const uris = method === 'subscriptions/listen' ? params?.notifications?.resourceSubscriptions : undefined;
  return Array.isArray(uris) ? uris.map(String) : [];
}

function headersOf({ headers }: Request): Headers {
  return new Headers(
    Object.entries(headers).flatMap(([name, value]): [string, string][] =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}

function idOf(body: unknown): string | number | null {
  const id = (body as { id?: unknown } | undefined)?.id;
  return typeof id === 'string' || typeof id === 'number' ? id : null;
}

function refuse(
  response: Response,
  status: number,
  id: string | number | null,
  code: number,
  message: string,
  data: object,
): void {
  response.status(status).json({ jsonrpc: '2.0', id, error: { code, message, data } });
}
