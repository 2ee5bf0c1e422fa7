/** What must hold of the stores at every moment, each as a query that finds whatever breaks it. */
import { deepStrictEqual } from 'node:assert/strict';
import type { Database } from '../../src/adapters/postgres/database.js';
import { assertSummariesAreFolds } from './fold-check.js';

const END_FACTS = `('deployment_succeeded', 'deployment_failed', 'deployment_cancelled')`;

const BROKEN: Readonly<Record<string, string>> = {
  'one deployment of an app runs at a time': `
    select app_name, environment from deployments where started_at is not null and finished_at is null
    group by app_name, environment having count(*) > 1`,
  'the deployments of an app start in the order of their releases': `
    select later.id from entries earlier_start, entries later_start, deployments earlier, deployments later
    where earlier_start.fact ->> 'type' = 'deployment_started' and later_start.fact ->> 'type' = 'deployment_started'
      and earlier.id = earlier_start.deployment_id and later.id = later_start.deployment_id
      and earlier.app_name = later.app_name and earlier.environment = later.environment
      and earlier.release < later.release and earlier_start.position > later_start.position`,
  'a phase succeeds once': `
    select deployment_id, phase from entries where fact ->> 'type' = 'phase_succeeded'
    group by deployment_id, phase having count(*) > 1`,
  'a deployment ends once, and its end is its last fact': `
    select id from entries fact_of_end join deployments on id = deployment_id
    where fact_of_end.fact ->> 'type' in ${END_FACTS} and exists (
      select from entries later where later.deployment_id = id and later.sequence > fact_of_end.sequence and later.fact is not null)`,
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
