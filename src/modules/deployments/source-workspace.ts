/** The folder in which a deployment's source lies while it is checked and built: made once, found again, taken away. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { DeploySpec } from '../../domain/app-spec.js';
import { parseCaptainDefinition } from '../../domain/captain-definition.js';
import { DeployError } from '../../domain/errors.js';
import {
  type AppPlace,
  Archives,
  type DeploymentRecord,
  DeploymentStore,
  GitRemote,
  Secrets,
} from '../../domain/ports.js';
import { gitContext } from './sealing.js';
import { isUnderWay } from './validation/validation-id.js';
import { findDefinition, type Workspace, writeDockerfile } from './source-definition.js';

export class WorkspaceOptions {
  constructor(
    /** Where the folders of all deployments are; made when missing. */
    readonly directory: string,
  ) {}
}

/** Whose source it is. */
export interface Sourced extends Pick<DeploymentRecord, 'id'> {
  readonly spec: Pick<DeploySpec, 'source'>;
  readonly state: { readonly identity: AppPlace };
}

type Fill = (folder: string) => Promise<unknown>;

@Injectable()
export class SourceWorkspace {
  constructor(
    private readonly archives: Archives,
    private readonly git: GitRemote,
    private readonly deployments: DeploymentStore,
    private readonly secrets: Secrets,
    private readonly options: WorkspaceOptions,
  ) {}

  /**
   * The source of the deployment, ready to be built. What an earlier attempt left on this machine is used again.
   * @param archive the bytes that were uploaded, where they are not stored with the deployment
   * @throws DeployError `definition_missing`, `definition_invalid`, `template_unsupported`, and those of the ports
   */
  async open(
    record: Sourced,
    signal: AbortSignal,
    archive = (): AsyncIterable<Uint8Array> => this.deployments.readArchive(record.id),
  ): Promise<Workspace> {
    const { source } = record.spec;
    switch (source.kind) {
      case 'image':
      case 'release':
        return { image: source.image };
      case 'live':
        throw new Error('the live release has no source to build');
      case 'dockerfile':
        return writeDockerfile(await this.#folder(record, signal), source.dockerfile, 'Dockerfile');
      case 'captain_definition': {
        const definition = parseCaptainDefinition(source.definition);
        if (definition.kind === 'image') return { image: definition.image };
        if (definition.kind === 'dockerfile_lines') {
          return writeDockerfile(await this.#folder(record, signal), definition.dockerfile);
        }
        throw new DeployError(
          'definition_missing',
          `captain-definition names ${definition.path}, but no files were sent.`,
        );
      }
      case 'archive':
        return findDefinition(
          await this.#folder(record, signal, (folder) => this.archives.extract(archive(), folder, signal)),
        );
      case 'git': {
        const { url, commit, token } = source;
        const clear = token === undefined ? undefined : this.secrets.open(token, gitContext(record.state.identity));
        return findDefinition(
          await this.#folder(record, signal, (folder) => this.git.checkout(url, commit, clear, folder, signal)),
        );
      }
    }
  }

  /** Removes everything that the deployment has here; no error when there is nothing. */
  async dispose(deploymentId: string): Promise<void> {
    const names = (await this.#names()).filter((name) => owner(name) === deploymentId);
    await Promise.all(names.map((name) => rm(join(this.options.directory, name), { recursive: true, force: true })));
  }

  /** Removes the folders of all deployments that are not alive, and those that validations have left. */
  async sweep(alive: (deploymentId: string) => Promise<boolean>): Promise<void> {
    for (const id of new Set((await this.#names()).map(owner))) {
      if (!isUnderWay(id) && !(await alive(id))) await this.dispose(id);
    }
  }

  /** Fills a folder under another name first, so that one with the deployment's name is always complete. */
  async #folder({ id }: Sourced, signal: AbortSignal, fill: Fill = async () => undefined): Promise<string> {
    signal.throwIfAborted();
    const folder = join(this.options.directory, id);
    if ((await this.#names()).includes(id)) return folder;

    const filling = `${folder}.${randomBytes(6).toString('hex')}.tmp`;
    await mkdir(filling, { mode: 0o700 });
    try {
      await fill(filling);
      signal.throwIfAborted();
      await renameUnlessTaken(filling, folder);
    } finally {
      await rm(filling, { recursive: true, force: true });
    }
    return folder;
  }

  async #names(): Promise<string[]> {
    await mkdir(this.options.directory, { recursive: true, mode: 0o700 });
    return readdir(this.options.directory);
  }
}

/** The deployment that a name belongs to: `<id>` or `<id>.<random>.tmp`. */
const owner = (name: string) => name.split('.', 1)[0] ?? name;

/** Where another attempt was faster, what it made is the same. */
async function renameUnlessTaken(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  }
}
