/** Credentials in PostgreSQL. What has expired or was revoked is judged by the database's clock. */
import type { Freeze, TokenLimits } from '../../domain/policy.js';
import { CredentialStore, type LiveToken, type TokenRecord } from '../../domain/ports.js';
import type { Database } from './database.js';

const MOST_TOKENS_LISTED = 1_000;

interface TokenRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: string[];
  readonly apps: string[] | null;
  readonly agent: string | null;
  readonly limits: TokenLimits;
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly revoked_at: Date | null;
}

export class PostgresCredentialStore extends CredentialStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async adminPasswordHash(): Promise<string | undefined> {
    const rows = await this.database.query<{ password_hash: string }>('select password_hash from admin_credential');
    return rows[0]?.password_hash;
  }

  override async setAdminPasswordHash(hash: string, replace: boolean): Promise<string> {
    const [kept] = await this.database.query<{ password_hash: string }>(
      `insert into admin_credential as kept (password_hash) values ($1)
       on conflict (single) do update set
         password_hash = case when $2 then excluded.password_hash else kept.password_hash end,
         changed_at = case when $2 then now() else kept.changed_at end
       returning password_hash`,
      [hash, replace],
    );
    if (!kept) throw new Error('The admin password was not kept.');
    return kept.password_hash;
  }

  override async addToken(token: TokenRecord, hash: string): Promise<void> {
    await this.database.query(
      `insert into tokens (id, hash, name, scopes, apps, agent, limits, created_at, expires_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [
        token.id,
        hash,
        token.name,
        token.scopes,
        token.apps,
        token.agent,
        limitsOf(token),
        token.created_at,
        token.expires_at,
      ],
    );
  }

  /** The newest thousand, revoked ones among them. */
  override async listTokens(): Promise<TokenRecord[]> {
    const rows = await this.database.query<TokenRow>('select * from tokens order by created_at desc, id limit $1', [
      MOST_TOKENS_LISTED,
    ]);
    return rows.map(toRecord);
  }

  /** False when there is no such token, or it was revoked before. */
  override async revokeToken(id: string): Promise<boolean> {
    const revoked = await this.database.query(
      'update tokens set revoked_at = now() where id = $1 and revoked_at is null returning id',
      [id],
    );
    return revoked.length > 0;
  }

  /**
   * The use is noted once a minute at most: reading must not cost a write each time. A freeze is looked up along with the token, so
   * that it counts at once, in all processes.
   */
  override async findToken(hash: string): Promise<LiveToken | undefined> {
    const rows = await this.database.query<TokenRow & { frozen: Freeze | null }>(
      `with live as (
         select * from tokens where hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())
       ), noted as (
         update tokens set last_used_at = now() from live
         where tokens.id = live.id and (live.last_used_at is null or live.last_used_at < now() - interval '1 minute')
       )
       select live.*, (select to_jsonb(agent_freeze) - 'single' from agent_freeze where agent is not null) as frozen from live`,
      [hash],
    );
    const [row] = rows;
    if (row === undefined) return undefined;
    const { frozen } = row;
    return { token: toRecord(row), ...(frozen && { frozen: { ...frozen, at: new Date(frozen.at).toISOString() } }) };
  }

  override async tokenOf(id: string): Promise<TokenRecord | undefined> {
    const rows = await this.database.query<TokenRow>('select * from tokens where id = $1', [id]);
    return rows[0] && toRecord(rows[0]);
  }

  override async addSession(hash: string, expiresAt: string): Promise<void> {
    await this.database.query('delete from sessions where expires_at <= now()');
    await this.database.query('insert into sessions (hash, expires_at) values ($1, $2)', [hash, expiresAt]);
  }

  override async sessionAlive(hash: string): Promise<boolean> {
    const alive = await this.database.query('select 1 from sessions where hash = $1 and expires_at > now()', [hash]);
    return alive.length > 0;
  }

  override async endSessions(): Promise<void> {
    await this.database.query('delete from sessions');
  }
}

function toRecord(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes,
    ...(row.apps && { apps: row.apps }),
    ...(row.agent !== null && { agent: row.agent }),
    ...row.limits,
    created_at: row.created_at.toISOString(),
    ...(row.expires_at && { expires_at: row.expires_at.toISOString() }),
    ...(row.last_used_at && { last_used_at: row.last_used_at.toISOString() }),
    ...(row.revoked_at && { revoked_at: row.revoked_at.toISOString() }),
  };
}

function limitsOf({ environments, max_replicas, strategies, deploys_per_hour, approval }: TokenRecord): TokenLimits {
  return {
    ...(environments && { environments }),
    ...(max_replicas !== undefined && { max_replicas }),
    ...(strategies && { strategies }),
    ...(deploys_per_hour !== undefined && { deploys_per_hour }),
    ...(approval && { approval }),
  };
}
