/** Releases as the API shows them, and what is different between two. */
import { ApiProperty } from '@nestjs/swagger';
import type { Difference, Release } from '../../domain/releases.js';
import { ConfigView, configView } from './app.view.js';

export class ReleaseView {
  release!: number;
  /** Whether it serves now. */
  live!: boolean;
  version!: string;
  /** What Swarm runs. */
  image!: string;
  image_digest?: string;
  commit?: string;
  /** Where it came from, in words. */
  source!: string;
  deployment_id!: string;
  /** The release whose content this is: its own number, or for a rollback that of its target. */
  origin!: number;
  config!: ConfigView;
  actor!: string;
  agent?: string;
  on_behalf_of?: string;
  /** ISO 8601 UTC. */
  created_at!: string;
}

export class ReleaseListView {
  app_name!: string;
  environment!: string;
  /** Newest first. */
  releases!: ReleaseView[];
  /** How many there are in all. */
  total!: number;
  limit!: number;
  offset!: number;
}

export class DifferenceView implements Difference {
  /** Dotted path, such as `config.env.API_URL`. */
  path!: string;
  @ApiProperty({ enum: ['added', 'removed', 'changed'] })
  change!: Difference['change'];
  /** Any value; left out for what is secret. */
  @ApiProperty({ required: false })
  from?: unknown;
  @ApiProperty({ required: false })
  to?: unknown;
}

export class DifferencesView {
  app_name!: string;
  environment!: string;
  from!: number;
  to!: number;
  differences!: DifferenceView[];
}

export function releaseView(release: Release, live: number | undefined): ReleaseView {
  const { app_name: _, environment: __, actor, config, ...rest } = release;
  return {
    ...rest,
    live: release.release === live,
    config: configView(config),
    actor: actor.name,
    ...(actor.agent !== undefined && { agent: actor.agent }),
    ...(actor.on_behalf_of !== undefined && { on_behalf_of: actor.on_behalf_of }),
  };
}
