/** pre_build: is the source fit to be built? The plugins that look at it say so. */
import { Injectable } from '@nestjs/common';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import type { DeploymentSession } from '../deployment-session.js';
import { HookRunner } from '../hooks/hook-runner.js';
import { PhaseHandler } from '../phase-handler.js';
import { SourceWorkspace } from '../source-workspace.js';

@Injectable()
export class PreBuildPhase extends PhaseHandler {
  readonly phase = 'pre_build';

  constructor(
    private readonly workspace: SourceWorkspace,
    private readonly hooks: HookRunner,
  ) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const { source } = session.record.spec;
    const workspace = await this.workspace.open(session.record, session.signal);
    if ('image' in workspace) session.log('info', `captain-definition asks for the image ${workspace.image}`);
    else await this.hooks.run(session, this.phase, () => ({ workspace }));
    return source.kind === 'git' ? { commit: source.commit } : {};
  }
}
