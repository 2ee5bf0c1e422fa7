/** Approvals and orders per hour in PostgreSQL: whatever process asks, there is one answer. */
import { randomBytes } from 'node:crypto';
import { DeployError } from '../../domain/errors.js';
import type { Actor } from '../../domain/facts.js';
import { LIMITS } from '../../domain/limits.js';
import {
  PolicyStore,
  type Approval,
  type ApprovalFilter,
  type ApprovalRequest,
  type Verdict,
} from '../../domain/ports.js';
import { lockApproval, selectApprovals, STATUS, useApproval } from './approval-rows.js';
import type { Client, Database } from './database.js';
import { likePatterns } from './entry-rows.js';
import { waitSeconds } from './order-permits.js';

const EXPIRY = `clock_timestamp() + interval '${LIMITS.approval_minutes} minutes'`;
/** A rejected one stands as long as it would have been good. */
const STANDS = `used_at is null and expires_at > clock_timestamp()`;
const MOST_LISTED = 1_000;

export class PostgresPolicyStore extends PolicyStore {
  constructor(private readonly database: Database) {
    super();
  }

  override waitSeconds(tokenId: string, deploysPerHour: number): Promise<number> {
    return this.database.transaction((client) => waitSeconds(client, tokenId, deploysPerHour));
  }

  override ask(request: ApprovalRequest): Promise<Approval> {
    return this.database.transaction(async (client) => {
      const { token_id, plan_hash } = request;
      // The same request twice at once asks people once.
      await client.query("select pg_advisory_xact_lock(hashtext('flukedeploy token ' || $1))", [token_id]);
      const [standing] = await selectApprovals(
        client,
        `where token_id = $1 and plan_hash = $2 and ${STANDS} order by asked_at desc limit 1`,
        [token_id, plan_hash],
      );
      return standing ?? insert(client, request);
    });
  }

  override async find(id: string): Promise<Approval | undefined> {
    const [approval] = await this.database.transaction((client) => selectApprovals(client, 'where id = $1', [id]));
    return approval;
  }

  override list({ status, token_id, apps }: ApprovalFilter): Promise<Approval[]> {
    const values: unknown[] = [];
    const conditions = [
      'true',
      ...(status ? [`${STATUS} = $${values.push(status)}`] : []),
      ...(token_id ? [`token_id = $${values.push(token_id)}`] : []),
      ...(apps ? [`app_name like any ($${values.push(likePatterns(apps))})`] : []),
    ].join(' and ');
    return this.database.transaction((client) =>
      selectApprovals(client, `where ${conditions} order by asked_at desc, id limit ${MOST_LISTED}`, values),
    );
  }

  /** Whoever approves late gives the agent as much time as whoever approves at once. */
  override decide(id: string, verdict: Verdict, by: Actor, reason: string | undefined): Promise<Approval> {
    return this.database.transaction(async (client) => {
      const { status } = await lockApproval(client, id);
      if (status === 'expired') throw new DeployError('approval_expired', undefined, { policy: { approval_id: id } });
      if (status !== 'pending') throw new DeployError('approval_decided', `The approval is ${status} already.`);
      await client.query(
        `update approvals set verdict = $2, decided_by = $3, reason = $4, decided_at = clock_timestamp(),
           expires_at = ${EXPIRY} where id = $1`,
        [id, verdict, by, reason],
      );
      return lockApproval(client, id);
    });
  }

  override use(id: string): Promise<void> {
    return this.database.transaction((client) => useApproval(client, id));
  }
}

async function insert(client: Client, request: ApprovalRequest): Promise<Approval> {
  const { token_id, actor, action, plan_hash, summary } = request;
  const { rows } = await client.query<{ pending: number }>(
    `select count(*)::int as pending from approvals where token_id = $1 and verdict is null and ${STANDS}`,
    [token_id],
  );
  if ((rows[0]?.pending ?? 0) >= LIMITS.pending_approvals) {
    throw new DeployError('too_many_requests', 'Too many requests of this token wait for approval.', {
      retryAfterSeconds: 60,
    });
  }
  await client.query(
    `delete from approvals where token_id = $1 and expires_at < clock_timestamp() - interval '${LIMITS.approval_days} days'`,
    [token_id],
  );
  const id = `apr-${randomBytes(8).toString('hex')}`;
  await client.query(
    `insert into approvals (id, token_id, actor, action, app_name, plan_hash, summary, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, ${EXPIRY})`,
    [id, token_id, actor, action, action.app_name, plan_hash, summary],
  );
  return lockApproval(client, id);
}
