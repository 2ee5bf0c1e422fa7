/** Certificates in PostgreSQL: what each app wants, who orders it, and what there is. */
import {
  CertificateStore,
  type CertificateClaim,
  type CertificateFilter,
  type CertificateRecord,
  type CertificateWish,
  type EdgeChallenge,
  type OrderRefused,
  type StoredCertificate,
} from '../../domain/edge-ports.js';
import type { DeployError } from '../../domain/errors.js';
import { storedValues, toCertificateRecord, type CertificateRow } from './certificate-rows.js';
import { wantHosts } from './certificate-wishes.js';
import type { Client, Database } from './database.js';
import { likePatterns } from './entry-rows.js';

const MOST_LISTED = 10_000;
const NOW = 'clock_timestamp()';
const LIVE = `certificate is not null and expires_at > ${NOW} and state <> 'revoked'`;
const HELD = `id = $1 and fence = $2 and lease_until is not null and state <> 'revoked'`;
/** When the authority has looked, nobody needs them any more. */
const CHALLENGE_AGE = `interval '1 hour'`;

type Place = Pick<CertificateRecord, 'app_name' | 'environment'>;

export class PostgresCertificateStore extends CertificateStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async accountKey(directory: string): Promise<string | undefined> {
    const [row] = await this.database.query<{ sealed_key: string }>(
      'select sealed_key from acme_accounts where directory = $1',
      [directory],
    );
    return row?.sealed_key;
  }

  override async keepAccountKey(directory: string, sealed: string): Promise<string> {
    await this.database.query(
      'insert into acme_accounts (directory, sealed_key) values ($1, $2) on conflict do nothing',
      [directory, sealed],
    );
    const kept = await this.accountKey(directory);
    if (kept === undefined) throw new Error('The account key was not kept.');
    return kept;
  }

  override async publish({ token, key_authorization }: EdgeChallenge): Promise<void> {
    await this.database.query(
      `insert into acme_challenges (token, key_authorization) values ($1, $2)
       on conflict (token) do update set key_authorization = excluded.key_authorization, published_at = ${NOW}`,
      [token, key_authorization],
    );
  }

  override async withdraw({ token }: EdgeChallenge): Promise<void> {
    await this.database.query('delete from acme_challenges where token = $1', [token]);
  }

  override challenges(): Promise<EdgeChallenge[]> {
    return this.database.query<{ token: string; key_authorization: string }>(
      `select token, key_authorization from acme_challenges where published_at > ${NOW} - ${CHALLENGE_AGE}
       order by published_at, token limit $1`,
      [MOST_LISTED],
    );
  }

  override want(place: Place, hosts: readonly string[], newId: () => string): Promise<boolean> {
    return this.database.transaction((client) => wantHosts(client, place, hosts, newId));
  }

  override async wantedByOther(
    { app_name, environment }: Place,
    hosts: readonly string[],
  ): Promise<string | undefined> {
    const [row] = await this.database.query<{ app_name: string }>(
      `select app_name from certificates
       where origin = 'acme' and (app_name, environment) <> ($1, $2) and hosts && $3::text[] limit 1`,
      [app_name, environment, hosts],
    );
    return row?.app_name;
  }

  override wishes(): Promise<CertificateWish[]> {
    return this.database.query<CertificateWish & Record<string, unknown>>(
      `select app_name, environment, hosts from certificates where origin = 'acme' and cardinality(hosts) > 0 limit $1`,
      [MOST_LISTED],
    );
  }

  override async claim(leaseMs: number): Promise<CertificateClaim | undefined> {
    const [row] = await this.database.query<CertificateRow>(
      `update certificates set lease_until = ${NOW} + $1::float8 * interval '1 millisecond', fence = fence + 1
       where id = (
         select id from certificates
         where origin = 'acme' and state <> 'revoked' and cardinality(hosts) > 0 and next_attempt_at <= ${NOW}
           and (lease_until is null or lease_until < ${NOW})
         order by next_attempt_at limit 1 for update skip locked
       ) returning *`,
      [leaseMs],
    );
    return row && { record: toCertificateRecord(row), fence: Number(row.fence) };
  }

  /** Names that were added while it was ordered make it due again. */
  override issued({ record, fence }: CertificateClaim, issued: StoredCertificate, renewAt: string): Promise<boolean> {
    return this.#changes(
      `update certificates set state = 'issued', issued_hosts = $3, certificate = $4, sealed_key = $5, issued_at = $6,
         expires_at = $7, error_code = null, error_message = null, attempts = 0, lease_until = null,
         next_attempt_at = case when hosts <@ $3::text[] then $8::timestamptz else ${NOW} end
       where ${HELD} returning id`,
      [record.id, fence, ...storedValues(issued), renewAt],
    );
  }

  override failed({ record, fence }: CertificateClaim, error: DeployError, waitMs: number): Promise<boolean> {
    return this.#changes(
      `update certificates set state = case when ${LIVE} then 'issued' else 'failed' end, error_code = $3,
         error_message = $4, attempts = attempts + 1, lease_until = null,
         next_attempt_at = ${NOW} + $5::float8 * interval '1 millisecond'
       where ${HELD} returning id`,
      [record.id, fence, error.code, error.message, waitMs],
    );
  }

  override split(
    { record, fence }: CertificateClaim,
    refused: OrderRefused,
    waitMs: number,
    newId: () => string,
  ): Promise<boolean> {
    const names = refused.refusals.map(({ host }) => host);
    return this.database.transaction(async (client) => {
      const { rows } = await client.query<CertificateRow & { before: string[] }>(
        `update certificates c set
           hosts = array(select h from unnest(c.hosts) with ordinality as t (h, place) where h <> all ($3::text[]) order by place),
           lease_until = null, next_attempt_at = ${NOW}
         from (select hosts as before from certificates where id = $1) b where ${HELD} returning c.*, b.before`,
        [record.id, fence, names],
      );
      const [row] = rows;
      if (row === undefined) return false;
      for (const { host, message } of refused.refusals) {
        // A name that nobody wants any more by now is not tried again.
        if (row.before.includes(host)) await this.#splitOff(client, row, newId(), { host, message, waitMs, refused });
      }
      return true;
    });
  }

  async #splitOff(
    client: Client,
    row: CertificateRow,
    id: string,
    { host, message, waitMs, refused }: { host: string; message: string; waitMs: number; refused: OrderRefused },
  ): Promise<void> {
    const { issued } = toCertificateRecord(row);
    const kept = issued?.hosts.includes(host) ? issued : undefined;
    await client.query(
      `insert into certificates (id, app_name, environment, hosts, origin, state, alone, attempts, error_code, error_message,
         next_attempt_at, issued_hosts, certificate, sealed_key, issued_at, expires_at)
       values ($1, $2, $3, array[$4], 'acme', case when $12::timestamptz > ${NOW} then 'issued' else 'failed' end, true, 1, $5, $6,
         ${NOW} + $7::float8 * interval '1 millisecond', $8, $9, $10, $11, $12)`,
      [id, row.app_name, row.environment, host, refused.code, message, waitMs, ...storedValues(kept)],
    );
  }

  override postpone({ record, fence }: CertificateClaim, waitMs: number): Promise<boolean> {
    return this.#changes(
      `update certificates set lease_until = null, next_attempt_at = ${NOW} + $3::float8 * interval '1 millisecond'
       where ${HELD} returning id`,
      [record.id, fence, waitMs],
    );
  }

  override keepOwn(place: Place, id: string, own: StoredCertificate): Promise<CertificateRecord> {
    const { app_name, environment } = place;
    return this.database.transaction(async (client) => {
      await client.query(
        `delete from certificates where app_name = $1 and environment = $2 and origin = 'own' and hosts <@ $3::text[]`,
        [app_name, environment, own.hosts],
      );
      const { rows } = await client.query<CertificateRow>(
        `insert into certificates (id, app_name, environment, origin, state, hosts, issued_hosts, certificate, sealed_key,
           issued_at, expires_at)
         values ($1, $2, $3, 'own', 'issued', $4, $4, $5, $6, $7, $8) returning *`,
        [id, app_name, environment, ...storedValues(own)],
      );
      if (rows[0] === undefined) throw new Error('The certificate was not kept.');
      return toCertificateRecord(rows[0]);
    });
  }

  override async list({ app_name, environment, apps }: CertificateFilter): Promise<CertificateRecord[]> {
    const rows = await this.database.query<CertificateRow>(
      `select * from certificates where ($1::text is null or app_name = $1) and ($2::text is null or environment = $2)
         and ($3::text[] is null or app_name like any ($3)) order by created_at desc, id limit $4`,
      [app_name ?? null, environment ?? null, apps ? likePatterns(apps) : null, MOST_LISTED],
    );
    return rows.map(toCertificateRecord);
  }

  override async find(id: string): Promise<CertificateRecord | undefined> {
    const [row] = await this.database.query<CertificateRow>('select * from certificates where id = $1', [id]);
    return row && toCertificateRecord(row);
  }

  override async live(): Promise<CertificateRecord[]> {
    const rows = await this.database.query<CertificateRow>(
      `select * from certificates where ${LIVE} order by issued_at desc, created_at desc, id limit $1`,
      [MOST_LISTED],
    );
    return rows.map(toCertificateRecord);
  }

  override hasten(id: string): Promise<boolean> {
    return this.#changes(
      `update certificates set next_attempt_at = ${NOW}
       where id = $1 and origin = 'acme' and state <> 'revoked' and cardinality(hosts) > 0 returning id`,
      [id],
    );
  }

  override async revoked(id: string): Promise<void> {
    await this.database.query(
      `with gone as (
         update certificates set state = 'revoked', hosts = '{}', next_attempt_at = null, lease_until = null
         where id = $1 returning certificate
       )
       update certificates c set next_attempt_at = ${NOW} from gone
       where c.certificate = gone.certificate and c.id <> $1 and c.origin = 'acme'`,
      [id],
    );
  }

  override remove(id: string): Promise<boolean> {
    return this.#changes('delete from certificates where id = $1 returning id', [id]);
  }

  override async prune(): Promise<void> {
    await this.database.query(`delete from acme_challenges where published_at < ${NOW} - ${CHALLENGE_AGE}`);
    await this.database.query(
      `delete from certificates where origin = 'acme' and cardinality(hosts) = 0
         and (expires_at is null or expires_at < ${NOW})`,
    );
  }

  async #changes(statement: string, values: unknown[]): Promise<boolean> {
    return (await this.database.query(statement, values)).length > 0;
  }
}
