/** Entries that the log takes in each second, against the barest insert of the same rows. */
import pg from 'pg';
import { comparison, now, type Benchmark, type Measure } from './support/benchmark.ts';
import { Deployments, lines } from './support/deployments.ts';
import { startStores } from './support/stores.ts';

const SHAPES = [
  { batch: 1, entries: 400 },
  { batch: 50, entries: 6_000 },
  { batch: 500, entries: 20_000 },
] as const;
const WRITERS = [1, 4] as const;

/** The columns of `entries`, of all its indexes only the primary key. */
const RAW_TABLE = `create table raw_entries (deployment_id text not null, sequence integer not null, position bigint not null,
  at timestamptz not null, level smallint not null, app_name text not null, environment text not null, status text not null,
  component text not null, instance text not null, phase text, attempt smallint, event_type text, message text not null,
  metadata jsonb, fact jsonb, primary key (deployment_id, sequence))`;
const RAW_INSERT = `insert into raw_entries
  select $1, $2::int + n, $2::bigint + n, at, 1, 'bench', 'production', 'building', 'build', 'bench/1', 'build', 1, event_type, message, metadata, null
  from unnest($3::timestamptz[], $4::text[], $5::text[], $6::jsonb[]) with ordinality as line (at, event_type, message, metadata, n)`;

type Write = (writer: number, items: ReturnType<typeof lines>) => Promise<unknown>;

export const append: Benchmark = async (scope, { quick, rounds }) => {
  const { database } = await startStores(scope);
  const deployments = new Deployments(database);
  const pool = new pg.Pool({ connectionString: database.url, max: 10 });
  scope.defer(() => pool.end());
  await pool.query(RAW_TABLE);
  const claims = await Promise.all(
    Array.from({ length: Math.max(...WRITERS) }, (_, n) => deployments.begin(`app-${n}`)),
  );

  let written = 0;
  const ours: Write = (writer, items) => deployments.append(claims[writer]!, items);
  const raw: Write = async (writer, items) => {
    const drafts = items.flatMap((item) => ('draft' in item ? [item.draft] : []));
    const column = <Value>(pick: (draft: (typeof drafts)[number]) => Value): Value[] => drafts.map(pick);
    written += drafts.length;
    await pool.query(RAW_INSERT, [
      `dep-${writer}`,
      written,
      column(({ at }) => at),
      column(({ event_type }) => event_type ?? null),
      column(({ message }) => message),
      column(({ metadata }) => (metadata ? JSON.stringify(metadata) : null)),
    ]);
  };

  const measures: Measure[] = [];
  for (const { batch, entries } of SHAPES) {
    for (const writers of WRITERS) {
      const each = Math.ceil(entries / (quick ? 10 : 1) / batch / writers);
      const rate = async (write: Write): Promise<number> => {
        const began = now();
        await Promise.all(
          claims.slice(0, writers).map(async (_, writer) => {
            for (let count = 0; count < each; count++) await write(writer, lines(batch));
          }),
        );
        return (each * writers * batch * 1_000) / (now() - began);
      };
      const rates = { ours: [] as number[], raw: [] as number[] };
      for (let round = 0; round < rounds; round++) {
        rates.ours.push(await rate(ours));
        rates.raw.push(await rate(raw));
      }
      const by = writers === 1 ? 'one deployment' : `${writers} deployments at once`;
      measures.push({ what: `entries in batches of ${batch}, ${by}`, unit: '/s', ...rates });
    }
  }
  return [comparison('Entries appended', 'one `insert … unnest`', measures)];
};
