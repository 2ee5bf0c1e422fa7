/** Approvals as they are stored, and using one up: once, whoever tries at the same moment. */
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import type { Approval, ApprovalStatus } from '../../domain/ports.js';
import type { Client } from './database.js';

interface ApprovalRow {
  id: string;
  status: ApprovalStatus;
  token_id: string;
  actor: Approval['actor'];
  action: Approval['action'];
  plan_hash: string;
  summary: string;
  asked_at: Date;
  expires_at: Date;
  decided_at: Date | null;
  decided_by: Approval['actor'] | null;
  reason: string | null;
  used_at: Date | null;
}

export const STATUS = `case when used_at is not null then 'used' when verdict = 'rejected' then 'rejected'
  when expires_at <= clock_timestamp() then 'expired' else coalesce(verdict, 'pending') end`;
const COLUMNS = `id, ${STATUS} as status, token_id, actor, action, plan_hash, summary, asked_at, expires_at, decided_at,
  decided_by, reason, used_at`;

/** What an approval that is not (or no longer) one is answered with. */
const REFUSALS: Readonly<Record<Exclude<ApprovalStatus, 'approved'>, ErrorCode>> = {
  pending: 'approval_required',
  rejected: 'approval_rejected',
  expired: 'approval_expired',
  used: 'approval_used',
};

export async function selectApprovals(client: Client, condition: string, values: unknown[]): Promise<Approval[]> {
  const { rows } = await client.query<ApprovalRow>(`select ${COLUMNS} from approvals ${condition}`, values);
  return rows.map(toApproval);
}

export async function lockApproval(client: Client, id: string): Promise<Approval> {
  const [approval] = await selectApprovals(client, 'where id = $1 for update', [id]);
  if (approval === undefined) throw new DeployError('approval_not_found');
  return approval;
}

/** @throws DeployError for each status but `approved` */
export async function useApproval(client: Client, id: string): Promise<void> {
  const { status } = await lockApproval(client, id);
  if (status !== 'approved') throw new DeployError(REFUSALS[status], undefined, { policy: { approval_id: id } });
  await client.query('update approvals set used_at = clock_timestamp() where id = $1', [id]);
}

function toApproval(row: ApprovalRow): Approval {
  const { decided_at, decided_by, reason, used_at, asked_at, expires_at, ...rest } = row;
  return {
    ...rest,
    asked_at: asked_at.toISOString(),
    expires_at: expires_at.toISOString(),
    ...(decided_at && { decided_at: decided_at.toISOString() }),
    ...(decided_by && { decided_by }),
    ...(reason !== null && { reason }),
    ...(used_at && { used_at: used_at.toISOString() }),
  };
}
