/** What must hold of the stores at every moment, each as a query that finds whatever breaks it. */
import { deepStrictEqual } from 'node:assert/strict';
import type { Database } from '../../src/adapters/postgres/database.js';
import { assertSummariesAreFolds } from './fold-check.js';

const END_FACTS = `('deployment_succeeded', 'deployment_failed', 'deployment_cancelled')`;
/** What an ended deployment still learns. */
const ROLLBACK_FACTS = `('rollback_ordered', 'deployment_rolled_back', 'rollback_failed')`;

const BROKEN: Readonly<Record<string, string>> = {
  'one deployment of an app runs at a time': `
    select app_name, environment from deployments where started_at is not null and finished_at is null
    group by app_name, environment having count(*) > 1`,
  'the deployments of an app start in the order of their releases, but for the urgent ones': `
    select later.id from entries earlier_start, entries later_start, deployments earlier, deployments later
    where earlier_start.fact ->> 'type' = 'deployment_started' and later_start.fact ->> 'type' = 'deployment_started'
      and earlier.id = earlier_start.deployment_id and later.id = later_start.deployment_id
      and earlier.app_name = later.app_name and earlier.environment = later.environment
      and not later.urgent and earlier.release < later.release and earlier_start.position > later_start.position`,
  'nothing starts while something urgent of its app waits': `
    select start.deployment_id from entries start join deployments started on started.id = start.deployment_id,
      deployments urgent join entries asked on asked.deployment_id = urgent.id and asked.sequence = 1
    where start.fact ->> 'type' = 'deployment_started' and urgent.urgent and not started.urgent
      and (urgent.app_name, urgent.environment) = (started.app_name, started.environment) and asked.position < start.position
      and not exists (select from entries own where own.deployment_id = urgent.id and own.position < start.position
        and own.fact ->> 'type' in ('deployment_started', 'deployment_cancelled'))`,
  'a phase succeeds once': `
    select deployment_id, phase from entries where fact ->> 'type' = 'phase_succeeded'
    group by deployment_id, phase having count(*) > 1`,
  'a deployment ends once, and its end is its last fact': `
    select id from entries fact_of_end join deployments on id = deployment_id
    where fact_of_end.fact ->> 'type' in ${END_FACTS} and exists (
      select from entries later where later.deployment_id = id and later.sequence > fact_of_end.sequence
        and later.fact ->> 'type' not in ${ROLLBACK_FACTS})`,
  'a failure orders one rollback at most, and a rollback none': `
    select rollback_of from (select state -> 'identity' ->> 'rollback_of' as rollback_of from deployments) as rollbacks
    where rollback_of is not null group by rollback_of having count(*) > 1
    union all select deployment_id from entries join deployments on id = deployment_id
    where fact ->> 'type' = 'rollback_ordered' and state -> 'identity' ? 'rollback_of'`,
  'what was rolled back, or not, says what its rollback says': `
    select failed.id from deployments failed join deployments back on back.state -> 'identity' ->> 'rollback_of' = failed.id
    where failed.state -> 'rollback' ->> 'by' is distinct from back.id or case back.status
      when 'success' then failed.status <> 'rolled_back'
      when 'failed' then failed.status <> 'failed' or not failed.state -> 'rollback' ? 'error'
      when 'cancelled' then failed.status <> 'failed' or not failed.state -> 'rollback' ? 'error'
      else failed.status <> 'failed' or failed.state -> 'rollback' ? 'error' end`,
  'the release that is live is the last one that succeeded': `
    select apps.app_name from apps where live_release is not null and live_release is distinct from (
      select deployments.release from deployments where deployments.app_name = apps.app_name and deployments.environment = apps.environment
        and status = 'success' and coalesce(state -> 'identity' ->> 'kind', 'deploy') not in ('scale', 'restart')
      order by finished_at desc, deployments.release desc limit 1)`,
  'the traffic is where the last shift has sent it': `
    select traffic.app_name from traffic where traffic.traffic is distinct from (
      select fact -> 'traffic' from entries where entries.app_name = traffic.app_name and entries.environment = traffic.environment
        and fact ->> 'type' = 'traffic_shifted' order by position desc limit 1)`,
  'a host name at which requests come or that is configured belongs to that app': `
    select named.host from (
      select app_name, environment, jsonb_array_elements_text(traffic -> 'hosts') as host from traffic
      union all select app_name, environment, traffic #>> '{preview,host}' from traffic where traffic ? 'preview'
      union all select app_name, environment, jsonb_array_elements_text(config -> 'domains') from apps
      union all select app_name, environment, config #>> '{strategy,preview_host}' from apps) as named
    where host is not null and not exists (
      select from domains where (domains.host, domains.app_name, domains.environment) = (named.host, named.app_name, named.environment))`,
  'what has ended is neither held nor due': `
    select id from deployments where finished_at is not null and (lease_until is not null or due_at is not null)`,
  'what runs is due, now or later': `
    select id from deployments where started_at is not null and finished_at is null and due_at is null`,
  'the stream has no gap': `
    select head from stream where head - floor <> (select count(*) from entries)
      or (head > floor and (head, floor + 1) <> (select max(position), min(position) from entries))`,
  'sequences and times rise along the stream': `
    select position from (select position, at < lag(at) over (order by position) as late,
      sequence <> 1 + coalesce(lag(sequence) over (partition by deployment_id order by position), 0) as displaced from entries) as places
    where late or displaced`,
};

/** For stores whose log has not been pruned. @throws AssertionError naming the broken promise and what breaks it */
export async function assertPromisesKept(database: Database): Promise<void> {
  for (const [promise, query] of Object.entries(BROKEN)) {
    deepStrictEqual(await database.query(query), [], promise);
  }
  await assertSummariesAreFolds(database);
}
