/** The ports around apps: what is known of them between deployments, their releases, and the registries their images come from. */
import type { AppConfig } from './app-spec.js';
import type { EdgeState } from './edge-ports.js';
import type { Release } from './releases.js';
import type { Retiring, Traffic } from './traffic.js';

export interface AppPlace {
  readonly app_name: string;
  readonly environment: string;
}

/** An app in one environment. */
export interface AppRecord extends AppPlace {
  readonly project: string;
  /** That of the last success; absent before the first one. */
  readonly config?: AppConfig;
  readonly live_release?: number;
  readonly live_deployment?: string;
  readonly traffic?: Traffic;
  readonly retiring: readonly Retiring[];
}

export abstract class AppStore {
  /** All apps, or those whose names or patterns are given; by name. */
  abstract list(apps?: readonly string[]): Promise<AppRecord[]>;
  abstract find(place: AppPlace): Promise<AppRecord | undefined>;
  /** Newest first. */
  abstract releases(place: AppPlace, page: { limit: number; offset: number }): Promise<{ releases: Release[]; total: number }>;
  abstract release(place: AppPlace, number: number): Promise<Release | undefined>;
  /** Traffic of every app that has a host name: what the edge serves. */
  abstract traffic(): Promise<Traffic[]>;
  /** How the edge reaches FlukeDeploy's own API, as the process that serves it has said. */
  abstract captain(): Promise<EdgeState['captain']>;
  abstract setCaptain(captain: EdgeState['captain']): Promise<void>;
  /**
   * Runs `work` while no deployment of the app runs or can start; what it answers are the services that retire from then on.
   * False when a deployment runs.
   */
  abstract whileIdle(place: AppPlace, work: (app: AppRecord) => Promise<readonly Retiring[]>): Promise<boolean>;
  /** Forgets the app: its configuration, releases, traffic and host names. Deployments and their log stay. */
  abstract remove(place: AppPlace): Promise<void>;
  /** Images that must stay: of each app's newest releases, of everything that serves, and of deployments under way. */
  abstract imagesInUse(keep: number): Promise<{ images: string[]; deployments: string[] }>;
  /** Runs `work` in one process at a time; `undefined` where another one is at it and `wait` is false. */
  abstract exclusively<Result>(task: string, wait: boolean, work: () => Promise<Result>): Promise<Result | undefined>;
}
