/** What an order owes to the policy, settled in the transaction that accepts it: freeze, rate, approval. */
import { DeployError } from '../../domain/errors.js';
import type { Permit } from '../../domain/ports.js';
import { useApproval } from './approval-rows.js';
import type { Client } from './database.js';

/** Held shared by every order of an agent: whoever freezes waits for those under way, and all later ones see the freeze. */
export const AGENTS_LOCK = "hashtext('flukedeploy agents')";

/** @throws DeployError `agents_frozen`, `rate_limited_by_policy`, or what the approval is instead of approved */
export async function settlePermit(client: Client, permit: Permit, deploymentId: string): Promise<void> {
  const { token_id, is_agent, deploys_per_hour, approval_id } = permit;
  if (is_agent) await refuseFrozen(client);
  if (token_id === undefined) return;
  if (deploys_per_hour !== undefined) {
    await client.query("select pg_advisory_xact_lock(hashtext('flukedeploy token ' || $1))", [token_id]);
    const wait = await waitSeconds(client, token_id, deploys_per_hour);
    if (wait > 0) throw rateLimited(deploys_per_hour, wait);
  }
  await client.query('insert into token_orders (deployment_id, token_id) values ($1, $2)', [deploymentId, token_id]);
  await client.query("delete from token_orders where token_id = $1 and at < clock_timestamp() - interval '1 day'", [
    token_id,
  ]);
  if (approval_id !== undefined) await useApproval(client, approval_id);
}

/** Until the oldest of the last `limit` orders is an hour old. */
export async function waitSeconds(client: Client, tokenId: string, limit: number): Promise<number> {
  const { rows } = await client.query<{ wait: number }>(
    `select ceil(extract(epoch from at + interval '1 hour' - clock_timestamp()))::int as wait
     from token_orders where token_id = $1 order by at desc offset $2 limit 1`,
    [tokenId, limit - 1],
  );
  return Math.max(0, rows[0]?.wait ?? 0);
}

export function rateLimited(limit: number, wait: number): DeployError {
  return new DeployError(
    'rate_limited_by_policy',
    `This token may give ${limit} orders an hour; the next one in ${wait} s.`,
    { retryAfterSeconds: wait, policy: { rule: 'deploys_per_hour' } },
  );
}

async function refuseFrozen(client: Client): Promise<void> {
  await client.query(`select pg_advisory_xact_lock_shared(${AGENTS_LOCK})`);
  const { rows } = await client.query<{ reason: string }>('select reason from agent_freeze');
  if (rows[0]) throw new DeployError('agents_frozen', rows[0].reason, { policy: { rule: 'agents_frozen' } });
}
