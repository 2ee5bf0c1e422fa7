/** The ports around apps: what is known of them between deployments, their releases, and the registries their images come from. */
import type { AppConfig } from './app-spec.js';
import type { EdgeState } from './edge-ports.js';
import type { Release } from './releases.js';
import type { Retiring, Traffic } from './traffic.js';

export interface AppPlace {
  readonly app_name: string;
  readonly environment: string;
}

export type LiveRelease = Pick<
  Release,
  'release' | 'version' | 'image' | 'image_digest' | 'deployment_id' | 'created_at'
>;

/** An app in one environment. */
export interface AppRecord extends AppPlace {
  readonly project: string;
  /** That of the last success; absent before the first one. */
  readonly config?: AppConfig;
  readonly live_release?: number;
  readonly live?: LiveRelease;
  readonly live_deployment?: string;
  readonly traffic?: Traffic;
  readonly retiring: readonly Retiring[];
}

/** How a release is named: exactly one of the three. */
export interface ReleaseKey {
  readonly release?: number | undefined;
  readonly version?: string | undefined;
  readonly deployment_id?: string | undefined;
}

/** What is taken away of an app that is forgotten. */
export interface Removal extends AppPlace {
  /** The last number that was given out: services of later releases belong to the app's next life. */
  readonly release: number;
  readonly hosts: readonly string[];
  readonly releases: number;
  /** Names of its volumes. */
  readonly volumes: readonly string[];
}

export abstract class AppStore {
  /** All apps, or those whose names or patterns are given; by name. */
  abstract list(apps?: readonly string[]): Promise<AppRecord[]>;
  abstract find(place: AppPlace): Promise<AppRecord | undefined>;
  /** Newest first. */
  abstract releases(
    place: AppPlace,
    page: { limit: number; offset: number },
  ): Promise<{ releases: Release[]; total: number }>;
  /** The newest one that fits. */
  abstract release(place: AppPlace, key: ReleaseKey): Promise<Release | undefined>;
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
  /**
   * Forgets the app: its configuration, releases, traffic and host names. Deployments and their log stay. What is to be taken away
   * after it is remembered until `removed`, and answered again to whoever asks again; `undefined` where there is nothing of the app.
   * @throws DeployError `deployment_in_progress` while a deployment of it runs or waits
   */
  abstract remove(place: AppPlace): Promise<Removal | undefined>;
  /** Nothing of it is left. */
  abstract removed(removal: Removal): Promise<void>;
  /** Images that must stay: of each app's newest releases, of everything that serves, and of deployments under way. */
  abstract imagesInUse(keep: number): Promise<{ images: string[]; deployments: string[] }>;
  /** Runs `work` in one process at a time; `undefined` where another one is at it and `wait` is false. */
  abstract exclusively<Result>(task: string, wait: boolean, work: () => Promise<Result>): Promise<Result | undefined>;
}

/** A login for the images of a registry. */
export interface RegistryRecord {
  readonly name: string;
  /** `https://host[:port]/prefix`, without the login. */
  readonly url: string;
  readonly username?: string;
  /** Sealed. */
  readonly password?: string;
  /** Whether built images are pushed there; of all registries one is. */
  readonly default_push: boolean;
  /** ISO 8601 UTC. */
  readonly created_at: string;
}

export abstract class RegistryStore {
  /** By name. */
  abstract list(): Promise<RegistryRecord[]>;
  /** In the place of the one that has its name; a new default takes the place of the former one. */
  abstract put(record: RegistryRecord): Promise<void>;
  /** False when there is none. */
  abstract remove(name: string): Promise<boolean>;
}
