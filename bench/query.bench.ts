/** Looking into a filled log over REST, against node:http answering the same bytes from memory. */
import { once } from 'node:events';
import { join } from 'node:path';
import type { Database } from '../src/adapters/postgres/database.js';
import type { Answer } from './baselines/same-bytes.ts';
import { startBaseline } from './support/baseline-process.ts';
import { quantile, ratio, spread, type Benchmark, type Table } from './support/benchmark.ts';
import { Deployments, lines } from './support/deployments.ts';
import { fetchOnce, load } from './support/http-load.ts';
import { FLUKEDEPLOY, logIn, startServer } from './support/server.ts';
import { startStores } from './support/stores.ts';

const APPS = 20;
const DEPLOYMENTS = 100;
const LINES = 1_000;
const BATCH = 500;
/** How many times the log is multiplied for the second table. */
const GROWTH = 10;
/** Requests are those of one round. */
const LOADS = [
  { connections: 1, requests: 40 },
  { connections: 8, requests: 80 },
] as const;
const COLUMNS = ['', 'p50', 'p99', 'node:http p50', 'ratio', '8 at once: p50', 'p99', 'node:http p50', 'ratio'];

export const query: Benchmark = async (scope, { quick, rounds }) => {
  const { database, environment, root } = await startStores(scope);
  const ids = await fill(database, quick ? 10 : DEPLOYMENTS);
  const server = await startServer(scope, FLUKEDEPLOY, { ...environment, DATA_DIR: join(root, 'data') });
  const headers = { authorization: `Bearer ${await logIn(server)}` };
  const baseline = await startBaseline(scope, 'same-bytes.ts');

  const logs = '/api/v1/logs';
  const id = ids[Math.floor(ids.length / 2)] ?? '';
  const routes = [
    ['the log, 1,000 entries (default)', logs],
    ['the log, 100 entries', `${logs}?limit=100`],
    ['of one app, 100', `${logs}?limit=100&app_name=app-7`],
    ['errors, 100', `${logs}?limit=100&level=error`],
    ['of one event type, 100', `${logs}?limit=100&event_type=health_check`],
    ['of one deployment, 100', `${logs}?limit=100&deployment_id=${id}`],
    ['of one deployment by phase, 1,000', `/api/v1/deployments/${id}/logs`],
    ['status of a deployment', `/api/v1/deployments/${id}`],
    ['history of an app', '/api/v1/apps/app-7/deployments'],
    ['active deployments', '/api/v1/deployments/active'],
    ['statistics', '/api/v1/deployments/stats'],
  ] as const;

  const table = async (title: string): Promise<Table> => {
    const rows: string[][] = [];
    for (const [what, path] of routes) {
      const bytes = await fetchOnce(server.url + path, headers);
      baseline.process.send({ path, bytes } satisfies Answer);
      await once(baseline.process, 'message');
      const cells: string[] = [];
      for (const { connections, requests } of LOADS) {
        const [ours, raw]: [number[][], number[][]] = [[], []];
        const order = { headers, connections, requests: quick ? 8 : requests };
        for (let round = 0; round < rounds; round++) {
          ours.push(await load({ ...order, url: server.url + path }));
          raw.push(await load({ ...order, url: baseline.url + path }));
        }
        const medians = (all: number[][]): number[] => all.map((durations) => quantile(durations, 0.5));
        // One round is too short for a 99th percentile of its own.
        const p99 = spread([quantile(ours.flat(), 0.99)]);
        cells.push(spread(medians(ours)), p99, spread(medians(raw)), ratio(medians(ours), medians(raw)));
      }
      rows.push([what, ...cells]);
    }
    return { title, columns: COLUMNS, rows };
  };
  const size = async (): Promise<string> => `${(await head(database)).toLocaleString('en')} entries, times in ms`;

  const small = await table(await size());
  await multiply(database);
  return [small, await table(await size())];
};

/** Ended deployments of several apps, each with its lines; answers their ids. */
async function fill(database: Database, count: number): Promise<string[]> {
  const deployments = new Deployments(database);
  const ids: string[] = [];
  for (let index = 0; index < count; index++) {
    const claim = await deployments.begin(`app-${index % APPS}`);
    for (let line = 0; line < LINES; line += BATCH) await deployments.append(claim, lines(BATCH, line));
    await deployments.finish(claim);
    ids.push(claim.record.id);
  }
  await check(database);
  return ids;
}

/** Appends copies of all entries, by SQL: a million would take too long one batch after the other. */
async function multiply(database: Database): Promise<void> {
  for (let copy = 1; copy < GROWTH; copy++) {
    await database.transaction(async (client) => {
      await client.query('select head from stream for update');
      await client.query(
        `insert into entries
           select deployment_id, sequence + $1::int * own, position + $1::bigint * total, last_at, level, app_name, environment,
             status, component, instance, phase, attempt, event_type, message, metadata, null
           from entries
             join (select id as deployment_id, sequence / $1::int as own from deployments) as lengths using (deployment_id),
             (select head / $1::int as total, last_at from stream) as whole
           where position <= total`,
        [copy],
      );
      await client.query('update stream set head = head / $1::int * ($1::int + 1)', [copy]);
      await client.query('update deployments set sequence = sequence / $1::int * ($1::int + 1)', [copy]);
    });
  }
  await check(database);
}

async function head(database: Database): Promise<number> {
  const [stream] = await database.query<{ head: number }>('select head::float8 from stream');
  return stream?.head ?? 0;
}

/** The log is as the program itself would have written it; and swept, as PostgreSQL does by itself within minutes. */
async function check(database: Database): Promise<void> {
  const wrong = await database.query(
    `select 1 from stream where head <> (select count(*) from entries) or head <> (select max(position) from entries)
     union all
     select 1 from deployments left join entries on deployment_id = id
       group by id having count(*) <> deployments.sequence or max(entries.sequence) <> deployments.sequence`,
  );
  if (wrong.length > 0) throw new Error('the log was filled with gaps');
  await database.query('vacuum analyze');
}
