/** deploy: the new version comes up, proves itself, and takes the requests over by the app's strategy. */
import { Injectable } from '@nestjs/common';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { createScaleLog } from '../../../domain/log-entry.js';
import type { DeploymentSession } from '../deployment-session.js';
import { PhaseHandler } from '../phase-handler.js';
import { Rollouts } from '../rollout/rollouts.js';
import { rollOut } from '../rollout/strategies.js';
import { takeBack } from '../rollout/take-back.js';

@Injectable()
export class DeployPhase extends PhaseHandler {
  readonly phase = 'deploy';

  constructor(private readonly rollouts: Rollouts) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const rollout = await this.rollouts.open(session);
    await rollOut(rollout);
    const { wanted: to, base } = rollout;
    if (base.replicas !== to) session.emit(createScaleLog({ ...session.place(), from: base.replicas, to }));
    session.log('info', `${to} of ${to} replicas run this version`);
    return { service: rollout.desired.name };
  }

  override async undo(session: DeploymentSession, error: unknown): Promise<'undone' | 'kept'> {
    return takeBack(session, this.rollouts.ports, error);
  }
}
