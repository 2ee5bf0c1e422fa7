/** Who makes an MCP request: the principal of its token, named together with the client that acts for it. */
import type { AuthInfo, ServerContext } from '@modelcontextprotocol/server';
import { CLIENT_INFO_META_KEY } from '@modelcontextprotocol/server';
import { DeployError } from '../../domain/errors.js';
import type { Principal } from '../../domain/ports.js';
import { plain } from './untrusted-text.js';

const AGENT_LENGTH = 100;
/** Whoever speaks this protocol is an agent, though neither its token nor its client says so. */
const UNNAMED = 'MCP client';

/** Where a request comes from, and the id that its answer has. */
export interface Origin {
  readonly address: string | undefined;
  readonly request_id: string;
}

/** What the SDK carries from the guard to the handlers. The token itself stays behind. */
export function authInfoOf(principal: Principal, resourceMetadataUrl: string, origin: Origin): AuthInfo {
  return {
    token: '',
    clientId: `${principal.actor.kind}:${principal.actor.name}`,
    scopes: [...principal.scopes],
    resourceMetadataUrl,
    extra: { principal, origin },
  };
}

/** @throws DeployError `unauthenticated` */
export function principalOf(auth: AuthInfo | undefined): Principal {
  const principal = auth?.extra?.['principal'] as Principal | undefined;
  if (principal === undefined) throw new DeployError('unauthenticated');
  return principal;
}

/** @throws DeployError `unauthenticated` */
export function originOf(auth: AuthInfo | undefined): Origin {
  const origin = auth?.extra?.['origin'] as Origin | undefined;
  if (origin === undefined) throw new DeployError('unauthenticated');
  return origin;
}

/** @param client the name of a client that has a session, and does not say it again with each request */
export function callerOf({ mcpReq, http }: ServerContext, client: string | undefined): Principal {
  const principal = principalOf(http?.authInfo);
  const said = clientName(envelopeOf(mcpReq)[CLIENT_INFO_META_KEY]) ?? client;
  const { actor } = principal;
  const agent = actor.agent && said ? `${actor.agent} via ${said}` : (actor.agent ?? said ?? UNNAMED);
  return { ...principal, actor: { ...actor, agent: plain(agent, AGENT_LENGTH) } };
}

/** What a request of 2026 says of its client; the SDK's type of it has no keys. */
export function envelopeOf({ envelope }: ServerContext['mcpReq']): Readonly<Record<string, unknown>> {
  return { ...envelope };
}

export function clientName(info: unknown): string | undefined {
  if (typeof info !== 'object' || info === null || !('name' in info) || typeof info.name !== 'string') return undefined;
  const version = 'version' in info && typeof info.version === 'string' ? `/${info.version}` : '';
  return plain(`${info.name}${version}`, AGENT_LENGTH) || undefined;
}
