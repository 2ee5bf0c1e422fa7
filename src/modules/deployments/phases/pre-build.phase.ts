/** pre_build: is the source fit to be built? */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import { checkDockerfile } from '../../../plugins/source-check/dockerfile-check.js';
import type { DeploymentSession } from '../deployment-session.js';
import { PhaseHandler } from '../phase-handler.js';
import { SourceWorkspace } from '../source-workspace.js';

@Injectable()
export class PreBuildPhase extends PhaseHandler {
  readonly phase = 'pre_build';

  constructor(private readonly workspace: SourceWorkspace) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const { source } = session.record.spec;
    const workspace = await this.workspace.open(session.record, session.signal);
    if ('image' in workspace) {
      session.log('info', `captain-definition asks for the image ${workspace.image}`);
    } else {
      checkDockerfile(await this.#dockerfile(workspace.folder, workspace.dockerfile));
      session.log('info', `${workspace.dockerfile} is valid`);
    }
    return source.kind === 'git' ? { commit: source.commit } : {};
  }

  async #dockerfile(folder: string, path: string): Promise<string> {
    try {
      return await readFile(join(folder, path), 'utf8');
    } catch (error) {
      throw new DeployError('definition_missing', `The source has no ${path}.`, { cause: error });
    }
  }
}
