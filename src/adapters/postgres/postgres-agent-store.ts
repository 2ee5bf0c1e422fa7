/** Agents and their freeze in PostgreSQL: an agent is a name that tokens carry. */
import type { Actor } from '../../domain/facts.js';
import type { Freeze } from '../../domain/policy.js';
import { AgentStore, type AgentRecord, type AgentToken } from '../../domain/ports.js';
import type { Database } from './database.js';
import { AGENTS_LOCK } from './order-permits.js';

interface AgentRow {
  agent: string;
  last_used_at: Date | null;
  /** JSON knows no dates. */
  tokens: { id: string; name: string; expires_at: string | null; last_used_at: string | null }[];
  deployments: number;
}

export class PostgresAgentStore extends AgentStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async list(): Promise<AgentRecord[]> {
    const rows = await this.database.query<AgentRow>(
      `select agent, max(last_used_at) as last_used_at,
         coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name, 'expires_at', expires_at, 'last_used_at', last_used_at)
           order by created_at desc) filter (where revoked_at is null and (expires_at is null or expires_at > now())), '[]')
           as tokens,
         (select count(*)::int from token_orders join tokens mine on mine.id = token_id
            where mine.agent = tokens.agent and at > now() - interval '24 hours') as deployments
       from tokens where agent is not null group by agent order by agent limit 1000`,
    );
    return rows.map(({ agent, last_used_at, tokens, deployments }) => ({
      agent,
      tokens: tokens.map(toToken),
      ...(last_used_at && { last_used_at: last_used_at.toISOString() }),
      deployments_24h: deployments,
    }));
  }

  override async frozen(): Promise<Freeze | undefined> {
    const [row] = await this.database.query<FreezeRow>('select at, by, reason from agent_freeze');
    return row && toFreeze(row);
  }

  override freeze({ at, by, reason }: Freeze): Promise<Freeze> {
    return this.database.transaction(async (client) => {
      await client.query(`select pg_advisory_xact_lock(${AGENTS_LOCK})`);
      await client.query('insert into agent_freeze (at, by, reason) values ($1, $2, $3) on conflict do nothing', [
        at,
        by,
        reason,
      ]);
      const { rows } = await client.query<FreezeRow>('select at, by, reason from agent_freeze');
      return rows[0] ? toFreeze(rows[0]) : { at, by, reason };
    });
  }

  override async unfinished(): Promise<string[]> {
    const rows = await this.database.query<{ id: string }>(
      `select id from deployments where finished_at is null and state -> 'identity' -> 'actor' ->> 'agent' is not null
       order by created_at`,
    );
    return rows.map(({ id }) => id);
  }

  override async unfreeze(): Promise<boolean> {
    return (await this.database.query('delete from agent_freeze returning single')).length > 0;
  }
}

interface FreezeRow {
  at: Date;
  by: Actor;
  reason: string;
}

const toFreeze = ({ at, by, reason }: FreezeRow): Freeze => ({ at: at.toISOString(), by, reason });
const time = (text: string): string => new Date(text).toISOString();

function toToken({ id, name, expires_at, last_used_at }: AgentRow['tokens'][number]): AgentToken {
  return {
    id,
    name,
    ...(expires_at !== null && { expires_at: time(expires_at) }),
    ...(last_used_at !== null && { last_used_at: time(last_used_at) }),
  };
}
