/** Apps in PostgreSQL: their configuration, releases and traffic between deployments. */
import type { AppConfig } from '../../domain/app-spec.js';
import {
  AppStore,
  type AppPlace,
  type AppRecord,
  type EdgeState,
  type LiveRelease,
  type ReleaseKey,
  type Removal,
} from '../../domain/ports.js';
import type { Release } from '../../domain/releases.js';
import type { Retiring, Traffic } from '../../domain/traffic.js';
import { removeApp } from './app-removal.js';
import type { Client, Database } from './database.js';
import { likePatterns } from './entry-rows.js';

const APPS = `select apps.app_name, apps.environment, project, apps.config, live_release, live_deployment, traffic,
  coalesce(retiring, '[]') as retiring, version as live_version, image as live_image, image_digest as live_digest,
  deployment_id as live_from, created_at as live_since
  from apps left join traffic using (app_name, environment)
  left join releases on releases.app_name = apps.app_name and releases.environment = apps.environment and release = live_release`;

/** How long one piece of work may take while the app stands still for it. */
const IDLE_WORK_MS = 60_000;

interface AppRow extends AppPlace {
  project: string;
  config: AppConfig | null;
  live_release: number | null;
  live_deployment: string | null;
  traffic: Traffic | null;
  retiring: Retiring[];
  live_version: string | null;
  live_image: string | null;
  live_digest: string | null;
  live_from: string | null;
  live_since: Date | null;
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

  override async release(
    { app_name, environment }: AppPlace,
    { release, version, deployment_id }: ReleaseKey,
  ): Promise<Release | undefined> {
    const rows = await this.database.query<ReleaseRow>(
      `select * from releases where app_name = $1 and environment = $2 and ($3::int is null or release = $3)
         and ($4::text is null or version = $4) and ($5::text is null or deployment_id = $5)
       order by release desc limit 1`,
      [app_name, environment, release ?? null, version ?? null, deployment_id ?? null],
    );
    return rows[0] && toRelease(rows[0]);
  }

  override async traffic(): Promise<Traffic[]> {
    const rows = await this.database.query<{ traffic: Traffic }>(
      `select traffic from traffic where jsonb_array_length(traffic -> 'hosts') > 0 or traffic ? 'preview'`,
    );
    return rows.map(({ traffic }) => traffic);
  }

  override async captain(): Promise<EdgeState['captain']> {
    const [row] = await this.database.query<{ captain: EdgeState['captain'] | null }>(
      'select captain from edge_settings',
    );
    return row?.captain ?? undefined;
  }

  override async setCaptain(captain: EdgeState['captain']): Promise<void> {
    await this.database.query('update edge_settings set captain = $1', [captain ? JSON.stringify(captain) : null]);
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

  override async remove(place: AppPlace): Promise<Removal | undefined> {
    return this.database.transaction((client) => removeApp(client, place));
  }

  override async removed({ app_name, environment, release }: Removal): Promise<void> {
    await this.database.query('delete from removals where app_name = $1 and environment = $2 and release = $3', [
      app_name,
      environment,
      release,
    ]);
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

function toApp(row: AppRow): AppRecord {
  const { app_name, environment, project, config, live_release, live_deployment, traffic, retiring } = row;
  const live = liveOf(row);
  return {
    app_name,
    environment,
    project,
    retiring,
    ...(config && { config }),
    ...(live_release !== null && { live_release }),
    ...(live && { live }),
    ...(live_deployment !== null && { live_deployment }),
    ...(traffic && { traffic }),
  };
}

function liveOf({ live_release, live_version, ...row }: AppRow): LiveRelease | undefined {
  const { live_image, live_digest, live_from, live_since } = row;
  if (live_release === null || live_version === null || live_image === null) return undefined;
  return {
    release: live_release,
    version: live_version,
    image: live_image,
    ...(live_digest !== null && { image_digest: live_digest }),
    deployment_id: live_from ?? '',
    created_at: live_since?.toISOString() ?? '',
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
