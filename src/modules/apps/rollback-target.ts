/** The release that a rollback goes back to. */
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import { AppStore, type AppRecord, type LiveRelease, type ReleaseKey } from '../../domain/ports.js';
import { releaseBefore, type Release } from '../../domain/releases.js';
import { refuse } from '../deployments/index.js';

/** Releases are read in pages: most ways back are short. */
const PAGE = 20;

@Injectable()
export class RollbackTargets {
  constructor(private readonly apps: AppStore) {}

  /**
   * The release that is named, else the last good one before the content that is live.
   * @throws DeployError `invalid_field`, `release_not_found`, `no_previous_release`, `already_live`, naming the field
   */
  async find(app: AppRecord, live: LiveRelease, key: ReleaseKey): Promise<Release> {
    const names = ['release', 'version', 'deployment_id'] as const;
    const [path, other] = names.filter((name) => key[name] !== undefined);
    if (other) {
      throw refuse('invalid_field', other, 'only one of version, release and deployment_id may be sent');
    }
    if (path === undefined) return this.#before(app, live.release);
    const target = await this.apps.release(app, key);
    if (target === undefined) {
      throw refuse('release_not_found', path, `${app.app_name} has no release of ${path} ${key[path] ?? ''}`);
    }
    const current = await this.apps.release(app, { release: live.release });
    if (target.origin === current?.origin) throw refuse('already_live', path, isLive(target, live));
    return target;
  }

  async #before(app: AppRecord, live: number): Promise<Release> {
    const seen: Release[] = [];
    for (;;) {
      const { releases, total } = await this.apps.releases(app, { limit: PAGE, offset: seen.length });
      seen.push(...releases);
      const before = releaseBefore(seen, live);
      if (before) return before;
      if (releases.length === 0 || seen.length >= total) {
        throw new DeployError('no_previous_release', `There is no release before release ${live}, which is live.`, {
          fields: [{ path: 'release', message: `there is none before release ${live}, which is live` }],
        });
      }
    }
  }
}

function isLive({ release, version }: Release, live: LiveRelease): string {
  const what = `release ${release} (${version})`;
  return live.release === release ? `${what} is live` : `release ${live.release}, which is live, is ${what} again`;
}
