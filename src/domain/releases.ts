/** Releases: the numbered, immutable results of successful deployments, and the orders that go back to one. Pure. */
import type { AppConfig, DeploySpec } from './app-spec.js';
import type { Actor, DeploymentIdentity, DeploymentState } from './facts.js';

/** A successful deployment's result. Values of `config.env` and `config.secrets` are sealed. */
export interface Release {
  readonly app_name: string;
  readonly environment: string;
  /** Counts per app and environment; numbers of failed deployments are missing. */
  readonly release: number;
  readonly deployment_id: string;
  readonly version: string;
  /** `name@sha256:…`, or an image id where no registry knows it. */
  readonly image: string;
  readonly image_digest?: string;
  readonly commit?: string;
  readonly source: string;
  readonly config: AppConfig;
  readonly actor: Actor;
  /** The release whose content this is: its own number, or for a rollback that of its target. */
  readonly origin: number;
  /** ISO 8601 UTC. */
  readonly created_at: string;
}

/** Scaling and restarting change no content. */
export function isRelease({ kind = 'deploy' }: Pick<DeploymentIdentity, 'kind'>): boolean {
  return kind === 'deploy' || kind === 'rollback' || kind === 'config';
}

const AUTOMATIC: Actor = { kind: 'system', name: 'auto-rollback' };
const ROLLBACK_TIMEOUT_MS = 900_000;

export interface RollbackOrder {
  readonly identity: Omit<DeploymentIdentity, 'release'>;
  readonly spec: DeploySpec;
}

/** Back to what was live before, with the app's own configuration; `undefined` where nothing was switched or nothing was before. */
export function automaticRollback(state: DeploymentState, spec: DeploySpec, id: string): RollbackOrder | undefined {
  const { identity, base, error, has_served } = state;
  if (state.status !== 'failed' || !has_served || !spec.auto_rollback || identity.rollback_of !== undefined) return;
  if (base?.release === undefined || base.image === undefined) return undefined;
  const { release, image, image_digest, commit, version = `v${release}` } = base;
  return {
    identity: {
      id,
      kind: 'rollback',
      app_name: identity.app_name,
      environment: identity.environment,
      project: identity.project,
      version,
      actor: AUTOMATIC,
      source: `release ${release}`,
      timeout_ms: ROLLBACK_TIMEOUT_MS,
      rollback_of: identity.id,
      rollback_to: release,
      reason: `${identity.version} failed: ${error?.message ?? 'for an unknown reason'}`,
    },
    spec: {
      source: {
        kind: 'release',
        release,
        version,
        image,
        ...(image_digest && { image_digest }),
        ...(commit && { commit }),
      },
      config: {},
      validation_level: 'basic',
      auto_rollback: false,
      on_conflict: 'queue',
      ...(spec.server_plugins && { server_plugins: spec.server_plugins }),
    },
  };
}

/** Back to a release: image and configuration together, but as many replicas as there are now. */
export function rollbackSpec({ release, version, image, image_digest, commit, config }: Release): DeploySpec {
  const { replicas: _, ...snapshot } = config;
  return {
    source: {
      kind: 'release',
      release,
      version,
      image,
      ...(image_digest && { image_digest }),
      ...(commit && { commit }),
    },
    config: snapshot,
    whole: true,
    validation_level: 'basic',
    auto_rollback: true,
    on_conflict: 'queue',
  };
}

/** The last good release before the content that is live: going back again and again leads further back, never to and fro. */
export function releaseBefore(releases: readonly Release[], live: number | undefined): Release | undefined {
  const origin = releases.find(({ release }) => release === live)?.origin;
  if (origin === undefined) return undefined;
  return releases
    .filter((candidate) => candidate.origin === candidate.release && candidate.release < origin)
    .reduce<Release | undefined>((last, next) => (last && last.release > next.release ? last : next), undefined);
}

export interface Difference {
  /** Dotted path, such as `config.env.API_URL`. */
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Left out for what is secret. */
  readonly from?: unknown;
  readonly to?: unknown;
}

/** Paths whose values are secret: only that they differ is told. */
const SECRET = /^config\.(env|secrets)\./;

/**
 * What is different between two releases.
 * @param open makes sealed values comparable: two seals of one value differ
 */
export function releaseDifferences(
  from: Release,
  to: Release,
  open: (sealed: string, name: string, kind: 'env' | 'secrets') => string,
): Difference[] {
  const [before, after] = [from, to].map((release) => flatten(comparable(release, open)));
  const paths = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].sort();
  return paths.flatMap((path): Difference[] => {
    const [old, now] = [before?.[path], after?.[path]];
    if (JSON.stringify(old) === JSON.stringify(now)) return [];
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'changed';
    if (SECRET.test(path)) return [{ path, change }];
    return [{ path, change, ...(old !== undefined && { from: old }), ...(now !== undefined && { to: now }) }];
  });
}

type Open = (sealed: string, name: string, kind: 'env' | 'secrets') => string;

function comparable({ version, image, image_digest, commit, config }: Release, open: Open): Record<string, unknown> {
  const opened = (kind: 'env' | 'secrets'): Record<string, string> =>
    Object.fromEntries(Object.entries(config[kind]).map(([name, sealed]) => [name, open(sealed, name, kind)]));
  return {
    version,
    image,
    image_digest,
    commit,
    config: { ...config, env: opened('env'), secrets: opened('secrets') },
  };
}

/** Lists are compared as a whole: their items have no names. */
function flatten(value: Record<string, unknown>, path = ''): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
      const here = path ? `${path}.${key}` : key;
      return typeof item === 'object' && item !== null && !Array.isArray(item)
        ? Object.entries(flatten(item as Record<string, unknown>, here))
        : item === undefined
          ? []
          : [[here, item]];
    }),
  );
}
