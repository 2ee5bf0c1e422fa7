/** Runs the gates of a deployment that change nothing: over the source, over the cluster, and in the image where that is asked for. */
import { createReadStream } from 'node:fs';
import { Injectable, Logger } from '@nestjs/common';
import { pluginUses, skippedPhases, type DeploySpec } from '../../../domain/app-spec.js';
import type { Plugin } from '../../../domain/plugin.js';
import { Images, Jobs, type ImageView } from '../../../domain/ports.js';
import { isGate } from '../../../domain/validation-gates.js';
import { buildOrder, imageTag } from '../build-order.js';
import { HookReach } from '../hooks/hook-reach.js';
import { HookRunner } from '../hooks/hook-runner.js';
import type { Workspace } from '../source-definition.js';
import { SourceWorkspace } from '../source-workspace.js';
import type { UploadedArchive } from '../upload.js';
import type { Issues } from './issues.js';
import type { Outlook } from './outlook.js';
import { ValidationSession } from './validation-session.js';

export interface Checked {
  readonly outlook: Outlook;
  readonly archive: UploadedArchive | undefined;
  readonly tests: boolean;
  readonly scan: boolean;
  readonly signal: AbortSignal;
}

export interface CheckedImage {
  /** Where it is known that nothing is built. */
  readonly name?: string;
  /** Where it is on this node. */
  readonly view?: ImageView;
}

const SCAN = 'vulnerability-scan';
const TESTS = 'run-tests';
const nothing = (): void => undefined;

@Injectable()
export class ValidationChecks {
  readonly #logger = new Logger(ValidationChecks.name);

  constructor(
    private readonly workspace: SourceWorkspace,
    private readonly images: Images,
    private readonly jobs: Jobs,
    private readonly hooks: HookRunner,
    private readonly reach: HookReach,
  ) {}

  /** Whatever comes of it, nothing is left. */
  async run(checked: Checked, issues: Issues): Promise<CheckedImage> {
    const { outlook, tests } = checked;
    const { id } = outlook.identity;
    try {
      const workspace = await attempt(issues, 'source', () => this.#source(checked, issues));
      const name = workspace && 'image' in workspace ? workspace.image : undefined;
      const named = name === undefined ? {} : { name };
      const view = await attempt(issues, name === undefined ? 'source' : 'image', () =>
        this.#image(checked, workspace, issues),
      );
      await attempt(issues, undefined, () => this.#beforeTraffic(checked, view, issues));
      return { ...named, ...(view && { view }) };
    } finally {
      await this.#away('folder', this.workspace.dispose(id));
      if (tests) await this.#away('jobs', this.jobs.remove(id));
      // By its tag: an image that was there before has another one.
      if (tests || checked.scan) await this.#away('image', this.images.remove(imageTag(outlook.identity)));
    }
  }

  async #source({ outlook, archive, signal }: Checked, issues: Issues): Promise<Workspace> {
    const { identity, spec, config, base } = outlook;
    if (spec.source.kind === 'live') return { image: base.image ?? '' };
    const sourced = { id: identity.id, spec, state: { identity } };
    const workspace = await this.workspace.open(sourced, signal, archive && (() => createReadStream(archive.path)));
    if ('image' in workspace || skippedPhases(spec, config).pre_build !== undefined) return workspace;
    const session = new ValidationSession(outlook, 'pre_build', signal);
    const runs = ({ name, origin }: Plugin): boolean => isGate(name) || origin === 'external';
    await this.hooks.run(session, 'pre_build', () => ({ workspace }), { runs, ended: issues.ended });
    return workspace;
  }

  /** Nothing is fetched or built for a look alone, nor from a source that is refused. */
  async #image(
    { outlook, tests, scan, signal }: Checked,
    workspace: Workspace | undefined,
    issues: Issues,
  ): Promise<ImageView | undefined> {
    const isNeeded = (tests || scan) && !issues.stop;
    if (workspace === undefined) return undefined;
    if ('image' in workspace) {
      return isNeeded ? this.images.resolve(workspace.image, nothing, signal) : this.images.inspect(workspace.image);
    }
    if (!isNeeded) return undefined;
    return this.images.build(buildOrder(workspace, outlook.identity), nothing, signal);
  }

  async #beforeTraffic(checked: Checked, image: ImageView | undefined, issues: Issues): Promise<void> {
    const { outlook, tests, scan, signal } = checked;
    const spec = asTried(outlook, checked);
    const session = new ValidationSession({ ...outlook, spec }, 'pre_deploy', signal);
    const isConfigured = pluginUses(spec, outlook.config).some(({ name }) => name === TESTS);
    if (tests && !isConfigured) {
      const hint = 'Switch the plugin run-tests on, for this request or for the app, with the command that runs them.';
      issues.tell('warning', 'tests_not_configured', 'The app has no tests to run.', { path: 'plugins', hint });
    }
    const wanted = (name: string): boolean =>
      name === 'cluster-check' ||
      (image !== undefined &&
        // Nothing of the app runs where it would not come that far.
        (name === 'image-policy' || (scan && name === SCAN) || (tests && name === TESTS && !issues.stop)));
    const ran = new Set<string>();
    const runs = ({ name }: Plugin): boolean => wanted(name) && ran.add(name).has(name);
    // A place for the image that is not there yet: only cluster-check is asked without one, and looks past it.
    const { reference, digest, size_bytes } = image ?? { reference: outlook.identity.id, digest: '', size_bytes: 0 };
    const reached = { reference, digest, size_bytes };
    await this.hooks.run(
      session,
      'pre_deploy',
      (due, signal) => this.reach.beforeTraffic(session, reached, due, signal),
      { runs, ended: issues.ended },
    );
    const asked = [...outlook.plugins.pre_deploy.map(({ name }) => name), ...(scan ? [SCAN] : [])];
    const others = [...new Set(asked)].filter((name) => !ran.has(name));
    if (others.length > 0) issues.tell('info', 'not_run_here', `Left to the deployment itself: ${others.join(', ')}.`);
  }

  async #away(what: string, removed: Promise<unknown>): Promise<void> {
    await removed.catch((error: unknown) => this.#logger.warn(`The ${what} of a validation stayed: ${String(error)}`));
  }
}

/** What cannot be gone through is told, and the next thing is looked at. */
async function attempt<Result>(
  issues: Issues,
  path: string | undefined,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    issues.refused(error, path);
    return undefined;
  }
}

/** The scan as if it were switched on by name; the list of what the image is made of belongs to a deployment, and there is none. */
function asTried({ spec, config }: Outlook, { scan }: Checked): DeploySpec {
  if (!scan) return spec;
  const { options = {}, ...use } = pluginUses(spec, config).find(({ name }) => name === SCAN) ?? { name: SCAN };
  const others = (spec.plugins ?? []).filter(({ name }) => name !== SCAN);
  return { ...spec, plugins: [...others, { ...use, options: { ...options, sbom: false } }] };
}
