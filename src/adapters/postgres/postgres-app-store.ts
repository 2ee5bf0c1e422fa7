/** Apps in PostgreSQL: their configuration, releases and traffic between deployments. */
import type { AppConfig } from '../../domain/app-spec.js';
import { AppStore, type AppPlace, type AppRecord } from '../../domain/ports.js';
import type { Release } from '../../domain/releases.js';
import type { Retiring, Traffic } from '../../domain/traffic.js';
import type { Client, Database } from './database.js';
import { likePatterns } from './entry-rows.js';

const APPS = `select apps.app_name, apps.environment, project, config, live_release, live_deployment, traffic,
  coalesce(retiring, '[]') as retiring from apps left join traffic using (app_name, environment)`;

/** How long one piece of work may take while the app stands still for it. */
const IDLE_WORK_MS = 60_000;

interface AppRow extends AppPlace {
  project: string;
  config: AppConfig | null;
  live_release: number | null;
  live_deployment: string | null;
  traffic: Traffic | null;
  retiring: Retiring[];
}

type ReleaseRow = Omit<Release, 'created_at' | 'commit' | 'image_digest'> & {
  created_at: Date;
  commit: string | null;
  image_digest: string | null;
};

export class PostgresAppStore extends AppStore {
  constructor(private readonly database: Database) {
    super();
  }

  override async list(apps?: readonly string[]): Promise<AppRecord[]> {
    const rows = await this.database.query<AppRow>(
      `${APPS} where $1::text[] is null or apps.app_name like any ($1) order by app_name, environment`,
      [apps ? likePatterns(apps) : null],
    );
    return rows.map(toApp);
  }

  override async find({ app_name, environment }: AppPlace): Promise<AppRecord | undefined> {
    const rows = await this.database.query<AppRow>(`${APPS} where apps.app_name = $1 and apps.environment = $2`, [
      app_name,
      environment,
    ]);
    return rows[0] && toApp(rows[0]);
  }

  override async releases(
    { app_name, environment }: AppPlace,
    page: { limit: number; offset: number },
  ): Promise<{ releases: Release[]; total: number }> {
    const place = [app_name, environment];
    const [rows, counts] = await Promise.all([
      this.database.query<ReleaseRow>(
        'select * from releases where app_name = $1 and environment = $2 order by release desc limit $3 offset $4',
        [...place, page.limit, page.offset],
      ),
      this.database.query<{ total: number }>(
        'select count(*)::int as total from releases where app_name = $1 and environment = $2',
        place,
      ),
    ]);
    return { releases: rows.map(toRelease), total: counts[0]?.total ?? 0 };
  }

  override async release({ app_name, environment }: AppPlace, number: number): Promise<Release | undefined> {
    const rows = await this.database.query<ReleaseRow>(
      'select * from releases where app_name = $1 and environment = $2 and release = $3',
      [app_name, environment, number],
    );
    return rows[0] && toRelease(rows[0]);
  }

  override async traffic(): Promise<Traffic[]> {
    const rows = await this.database.query<{ traffic: Traffic }>('select traffic from traffic');
    return rows.map(({ traffic }) => traffic);
  }

  override async whileIdle(place: AppPlace, work: (app: AppRecord) => Promise<readonly Retiring[]>): Promise<boolean> {
    const values = [place.app_name, place.environment];
    return this.database.transaction(async (client) => {
      // The work is done by Docker; it holds up this app only, not the stream.
      await client.query(`set local idle_in_transaction_session_timeout = ${IDLE_WORK_MS}`);
      // Whoever starts a deployment locks this row as well.
      await client.query('select 1 from apps where app_name = $1 and environment = $2 for update', values);
      const app = await readApp(client, place);
      if (app === undefined || (await isRunning(client, place))) return false;
      const retiring = await work(app);
      await client.query('update traffic set retiring = $3 where app_name = $1 and environment = $2', [
        ...values,
        JSON.stringify(retiring),
      ]);
      return true;
    });
  }

  override async remove({ app_name, environment }: AppPlace): Promise<void> {
    await this.database.transaction(async (client) => {
      // The app's row first: everybody who changes something of it has it.
      for (const table of ['apps', 'traffic', 'releases', 'domains']) {
        await client.query(`delete from ${table} where app_name = $1 and environment = $2`, [app_name, environment]);
      }
    });
  }

  override async imagesInUse(keep: number): Promise<{ images: string[]; deployments: string[] }> {
    const rows = await this.database.query<{ image: string; deployment_id: string }>(
      `with ranked as (select image, deployment_id, release, app_name, environment, row_number() over
          (partition by app_name, environment order by release desc) as age from releases)
       select image, deployment_id from ranked left join apps using (app_name, environment)
        where age <= $1 or release = live_release
       union all select coalesce(state -> 'outputs' ->> 'image', ''), id from deployments where finished_at is null
       union all select spec -> 'source' ->> 'image', id from deployments
        where finished_at is null and spec -> 'source' ->> 'image' is not null
       union all select '', service ->> 'deployment_id' from traffic, jsonb_array_elements(traffic -> 'stable') as service`,
      [keep],
    );
    return {
      images: rows.map(({ image }) => image).filter(Boolean),
      deployments: rows.map(({ deployment_id }) => deployment_id),
    };
  }

  override exclusively<Result>(task: string, wait: boolean, work: () => Promise<Result>): Promise<Result | undefined> {
    return this.database.exclusively(task, wait, work);
  }
}

async function readApp(client: Client, { app_name, environment }: AppPlace): Promise<AppRecord | undefined> {
  const { rows } = await client.query<AppRow>(`${APPS} where apps.app_name = $1 and apps.environment = $2`, [
    app_name,
    environment,
  ]);
  return rows[0] && toApp(rows[0]);
}

async function isRunning(client: Client, { app_name, environment }: AppPlace): Promise<boolean> {
  const { rows } = await client.query(
    'select 1 from deployments where app_name = $1 and environment = $2 and started_at is not null and finished_at is null',
    [app_name, environment],
  );
  return rows.length > 0;
}

function toApp({ config, live_release, live_deployment, traffic, ...row }: AppRow): AppRecord {
  return {
    ...row,
    ...(config && { config }),
    ...(live_release !== null && { live_release }),
    ...(live_deployment !== null && { live_deployment }),
    ...(traffic && { traffic }),
  };
}

function toRelease({ created_at, commit, image_digest, ...row }: ReleaseRow): Release {
  return {
    ...row,
    created_at: created_at.toISOString(),
    ...(commit !== null && { commit }),
    ...(image_digest !== null && { image_digest }),
  };
}
