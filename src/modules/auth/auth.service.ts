/** Logs in, makes and revokes tokens, and tells whose a token is. */
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import { CredentialStore, type Principal, type TokenRecord } from '../../domain/ports.js';
import { hashToken, isApiToken, isSessionToken, newApiToken, newSessionToken } from './credentials.js';
import { LoginBackoff } from './login-backoff.js';
import { verifyPassword } from './passwords.js';
import { type Scope, SCOPES } from './policy.js';

const DAY_MS = 86_400_000;
const SESSION_DAYS = 30;
const TOKEN_DAYS = 365;

const ADMIN: Principal = { actor: { kind: 'admin', name: 'admin' }, scopes: SCOPES };

export interface Session {
  readonly token: string;
  readonly expires_at: string;
}

export interface TokenOrder {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Names or patterns of the only apps it may touch. */
  readonly apps?: readonly string[] | undefined;
  /** Name of the agent that acts with it. */
  readonly agent?: string | undefined;
  readonly expires_in_days?: number | undefined;
}

@Injectable()
export class AuthService {
  constructor(
    private readonly store: CredentialStore,
    private readonly backoff: LoginBackoff,
  ) {}

  /**
   * @param now milliseconds of a steady clock, for the back-off
   * @throws DeployError `wrong_password`, `too_many_requests`
   */
  async login(password: string, address: string, now = performance.now()): Promise<Session> {
    const correct = await this.backoff.attempt(address, now, () => this.isAdminPassword(password));
    if (!correct) throw new DeployError('wrong_password');
    const session = { token: newSessionToken(), expires_at: time(Date.now() + SESSION_DAYS * DAY_MS) };
    await this.store.addSession(hashToken(session.token), session.expires_at);
    return session;
  }

  /** Whose API token or session this is; `undefined` when it is malformed, unknown, expired or revoked. */
  async authenticateToken(token: string): Promise<Principal | undefined> {
    if (isApiToken(token)) {
      const record = await this.store.findToken(hashToken(token));
      return record && principalOf(record);
    }
    const isSession = isSessionToken(token) && (await this.store.sessionAlive(hashToken(token)));
    return isSession ? ADMIN : undefined;
  }

  /** The only moment in which the token itself is known. */
  async createToken(order: TokenOrder): Promise<TokenRecord & { readonly token: string }> {
    // Whoever may make tokens can make one for all apps.
    if (order.apps && order.scopes.includes('admin')) {
      const message = 'cannot restrict a token with the scope admin';
      throw new DeployError('invalid_field', `apps ${message}.`, { fields: [{ path: 'apps', message }] });
    }
    const { id, token } = newApiToken();
    const now = Date.now();
    const record: TokenRecord = {
      id,
      name: order.name,
      scopes: order.scopes,
      ...(order.apps && { apps: order.apps }),
      ...(order.agent !== undefined && { agent: order.agent }),
      created_at: time(now),
      expires_at: time(now + (order.expires_in_days ?? TOKEN_DAYS) * DAY_MS),
    };
    await this.store.addToken(record, hashToken(token));
    return { ...record, token };
  }

  listTokens(): Promise<TokenRecord[]> {
    return this.store.listTokens();
  }

  /** @throws DeployError `token_not_found`, also when it was revoked before */
  async revokeToken(id: string): Promise<void> {
    if (!(await this.store.revokeToken(id))) throw new DeployError('token_not_found');
  }

  private async isAdminPassword(password: string): Promise<boolean> {
    const kept = await this.store.adminPasswordHash();
    return kept !== undefined && (await verifyPassword(password, kept));
  }
}

function principalOf({ id, name, agent, scopes, apps }: TokenRecord): Principal {
  return {
    actor: { kind: 'token', name, ...(agent !== undefined && { agent }) },
    token_id: id,
    scopes: scopes.includes('admin') ? SCOPES : scopes,
    ...(apps && { apps }),
  };
}

const time = (ms: number): string => new Date(ms).toISOString();
