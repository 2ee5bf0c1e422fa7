/** Brings the certificates of an app in line with the names that it wants them for. */
import type { CertificateRecord } from '../../domain/edge-ports.js';
import { toCertificateRecord, type CertificateRow } from './certificate-rows.js';
import type { Client } from './database.js';

/** Answers whether anything changed. */
export async function wantHosts(
  client: Client,
  { app_name, environment }: Pick<CertificateRecord, 'app_name' | 'environment'>,
  hosts: readonly string[],
  newId: () => string,
): Promise<boolean> {
  // Two declarations at once would each add the names that the other has just added.
  await client.query(`select pg_advisory_xact_lock(hashtextextended('certificates/' || $1 || '/' || $2, 0))`, [
    app_name,
    environment,
  ]);
  const { rows } = await client.query<CertificateRow>(
    `select * from certificates where app_name = $1 and environment = $2 and origin = 'acme' and state <> 'revoked'
     order by alone, created_at, id for update`,
    [app_name, environment],
  );
  const records = rows.map(toCertificateRecord);
  const wishes = planWishes(records, hosts);
  for (const { id, hosts: wanted, due } of wishes.changes) {
    await client.query(
      `update certificates set hosts = $2, attempts = case when $3 then 0 else attempts end,
         next_attempt_at = case when $3 then clock_timestamp() else next_attempt_at end where id = $1`,
      [id, wanted, due],
    );
  }
  if (wishes.added.length > 0) {
    await client.query(
      `insert into certificates (id, app_name, environment, hosts, origin, state, next_attempt_at)
       values ($1, $2, $3, $4, 'acme', 'pending', clock_timestamp())`,
      [newId(), app_name, environment, wishes.added],
    );
  }
  return wishes.changes.length > 0 || wishes.added.length > 0;
}

interface Wishes {
  readonly changes: readonly { readonly id: string; readonly hosts: readonly string[]; readonly due: boolean }[];
  /** For a certificate of their own. */
  readonly added: readonly string[];
}

/** @param records the one that holds the app's names together comes first */
export function planWishes(records: readonly CertificateRecord[], hosts: readonly string[]): Wishes {
  const wanted = new Set(hosts);
  const plans = records.map((record) => ({
    record,
    hosts: record.hosts.filter((host) => wanted.delete(host)),
    due: false,
  }));
  // What was wanted before and is wanted again needs no order as long as its certificate is there.
  for (const plan of plans) {
    plan.hosts.push(...(plan.record.issued?.hosts ?? []).filter((host) => wanted.delete(host)));
  }
  const main = plans.find(({ record }) => !record.alone);
  if (main && wanted.size > 0) {
    main.hosts.push(...wanted);
    main.due = true;
  }
  return {
    changes: plans
      .filter(
        (plan) =>
          plan.due ||
          plan.hosts.length !== plan.record.hosts.length ||
          plan.hosts.some((host) => !plan.record.hosts.includes(host)),
      )
      .map(({ record, hosts: names, due }) => ({ id: record.id, hosts: names, due })),
    added: main ? [] : [...wanted],
  };
}
