/** Proves the promise behind every status: what is stored of a deployment is what its facts fold to, and no entry is missing. */
import { deepStrictEqual } from 'node:assert/strict';
import type { Database } from '../../src/adapters/postgres/database.js';
import { evolve, type DeploymentState, type Fact } from '../../src/domain/deployment.js';

interface StoredDeployment {
  id: string;
  summary: {
    state: unknown;
    status: string;
    cancel_requested: boolean;
    started_at: string | null;
    deadline_at: string | null;
    finished_at: string | null;
    sequence: number;
  };
  facts: { fact: Fact; status: string }[];
  entries: number;
  first: number | null;
  last: number | null;
}

/** The deployment's entries must all be kept still. @throws AssertionError where summary and log disagree */
export async function assertSummaryIsFold(database: Database, id: string): Promise<void> {
  const [stored] = await load(database, id);
  if (stored === undefined) throw new Error(`there is no deployment ${id}`);
  compare(stored);
}

/** The same for every deployment, less those whose beginning has been pruned. */
export async function assertSummariesAreFolds(database: Database): Promise<void> {
  for (const stored of await load(database)) if (stored.first === 1) compare(stored);
}

/** One statement, so that summary and entries are of the same moment. */
function load(database: Database, id?: string): Promise<StoredDeployment[]> {
  return database.query<StoredDeployment>(
    `select id, entries, first, last, coalesce(facts, '[]') as facts, jsonb_build_object(
       'state', state, 'status', status, 'cancel_requested', cancel_requested, 'sequence', sequence,
       'started_at', ${iso('started_at')}, 'deadline_at', ${iso('deadline_at')}, 'finished_at', ${iso('finished_at')}) as summary
     from deployments left join lateral (
       select count(*)::int as entries, min(entries.sequence) as first, max(entries.sequence) as last,
         jsonb_agg(jsonb_build_object('fact', fact, 'status', entries.status) order by entries.sequence)
           filter (where fact is not null) as facts
       from entries where deployment_id = deployments.id) as log on true
     where $1::text is null or id = $1 order by id`,
    [id ?? null],
  );
}

function iso(column: string): string {
  return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}

function compare({ id, summary, facts, entries, first, last }: StoredDeployment): void {
  deepStrictEqual(
    { first, last, entries },
    { first: 1, last: entries, entries },
    `entries of ${id} are numbered from 1`,
  );
  let state: DeploymentState | undefined;
  for (const { fact, status } of facts) {
    state = evolve(state, fact);
    deepStrictEqual(status, state.status, `the entry of ${id}'s ${fact.type} carries the status after it`);
  }
  if (state === undefined) throw new Error(`${id} has no facts`);
  deepStrictEqual(
    summary,
    {
      state: JSON.parse(JSON.stringify(state)) as unknown,
      status: state.status,
      cancel_requested: state.cancel !== undefined,
      started_at: state.started_at ?? null,
      deadline_at: state.deadline_at ?? null,
      finished_at: state.finished_at ?? null,
      sequence: entries,
    },
    `the summary of ${id} is the fold of its facts`,
  );
}
