/** Figures about all deployments, or those of some apps. */
import { LIMITS } from '../../domain/limits.js';
import { DEPLOYMENT_STATUSES, type DeploymentStatus } from '../../domain/phases.js';
import type { DeploymentStats } from '../../domain/ports.js';
import type { Database } from './database.js';
import { likePatterns } from './entry-rows.js';

export async function deploymentStats(database: Database, apps?: readonly string[]): Promise<DeploymentStats> {
  const values = apps ? [likePatterns(apps)] : [];
  const ofApps = apps ? 'app_name like any ($1)' : 'true';
  const [counts, entries, durations] = await Promise.all([
    database.query<{ status: DeploymentStatus; count: number }>(
      `select status, count(*)::int from deployments where ${ofApps} group by status`,
      values,
    ),
    database.query<{ entries: number }>(
      apps
        ? `select count(*)::float8 as entries from (select 1 from entries where ${ofApps} limit ${LIMITS.counted_entries}) as counted`
        : 'select (head - floor)::float8 as entries from stream',
      values,
    ),
    database.query<{ average: number | null }>(
      `select (avg(extract(epoch from finished_at - created_at)) * 1000)::float8 as average
       from (select finished_at, created_at from deployments where status = 'success' and ${ofApps}
             order by created_at desc limit 100) as recent`,
      values,
    ),
  ]);
  const by_status = Object.fromEntries(DEPLOYMENT_STATUSES.map((status) => [status, 0])) as Record<
    DeploymentStatus,
    number
  >;
  for (const { status, count } of counts) by_status[status] = count;
  const average = durations[0]?.average;
  return {
    total: counts.reduce((sum, { count }) => sum + count, 0),
    by_status,
    entries: entries[0]?.entries ?? 0,
    ...(typeof average === 'number' && { average_duration_ms: Math.round(average) }),
  };
}
