/** Logs in, makes and revokes tokens, and tells whose a token is. */
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import type { Freeze } from '../../domain/policy.js';
import { CredentialStore, type Principal, type TokenRecord } from '../../domain/ports.js';
import { hashToken, isApiToken, isSessionToken, newApiToken, newSessionToken } from './credentials.js';
import { LoginBackoff } from './login-backoff.js';
import { verifyPassword } from './passwords.js';
import { SCOPES } from './policy.js';
import { refuseContradiction, type TokenOrder } from './token-rules.js';

const DAY_MS = 86_400_000;
const SESSION_DAYS = 30;
const TOKEN_DAYS = 365;

const ADMIN: Principal = { actor: { kind: 'admin', name: 'admin' }, scopes: SCOPES };

export interface Session {
  readonly token: string;
  readonly expires_at: string;
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
      const live = await this.store.findToken(hashToken(token));
      return live && principalOf(live.token, live.frozen);
    }
    const isSession = isSessionToken(token) && (await this.store.sessionAlive(hashToken(token)));
    return isSession ? ADMIN : undefined;
  }

  /** The only moment in which the token itself is known. */
  async createToken(order: TokenOrder): Promise<TokenRecord & { readonly token: string }> {
    refuseContradiction(order);
    const { id, token } = newApiToken();
    const now = Date.now();
    const { expires_in_days = TOKEN_DAYS, ...kept } = order;
    const record: TokenRecord = {
      id,
      ...present(kept),
      created_at: time(now),
      expires_at: time(now + expires_in_days * DAY_MS),
    };
    await this.store.addToken(record, hashToken(token));
    return { ...record, token };
  }

  listTokens(): Promise<TokenRecord[]> {
    return this.store.listTokens();
  }

  /** What would be judged of whoever has this token now. @throws DeployError `token_not_found` */
  async principalOfToken(id: string, frozen: Freeze | undefined): Promise<Principal> {
    const record = await this.store.tokenOf(id);
    if (record === undefined) throw new DeployError('token_not_found');
    return principalOf(record, frozen);
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

function principalOf(token: TokenRecord, frozen: Freeze | undefined): Principal {
  const { id, name, agent, scopes, apps } = token;
  const { environments, max_replicas, strategies, deploys_per_hour, approval } = token;
  const limits = present({ environments, max_replicas, strategies, deploys_per_hour, approval });
  return {
    actor: { kind: 'token', name, ...(agent !== undefined && { agent }) },
    token_id: id,
    scopes: scopes.includes('admin') ? SCOPES : scopes,
    ...(apps && { apps }),
    ...(Object.keys(limits).length > 0 && { limits }),
    ...(frozen && agent !== undefined && { frozen }),
  };
}

type Present<Value> = { [Name in keyof Value]: Exclude<Value[Name], undefined> };

/** Without what is undefined. */
function present<Value extends object>(value: Value): Present<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as Present<Value>;
}

const time = (ms: number): string => new Date(ms).toISOString();
