/** deploy: the Swarm service becomes this version, and is waited for until it truly is. */
import { Injectable } from '@nestjs/common';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { createScaleLog } from '../../../domain/log-entry.js';
import { Cluster, Images } from '../../../domain/ports.js';
import type { DeploymentSession } from '../deployment-session.js';
import { PhaseHandler } from '../phase-handler.js';
import { Rollout } from '../rollout.js';

/** A container without HEALTHCHECK counts as running the moment it starts: so long it must stay so. */
const STEADY_MS = 2_000;

@Injectable()
export class DeployPhase extends PhaseHandler {
  readonly phase = 'deploy';

  constructor(
    private readonly cluster: Cluster,
    private readonly images: Images,
    private readonly rollout: Rollout,
  ) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const desired = this.rollout.desired(session);
    const before = await this.cluster.findService(desired.name);
    const { change } = await this.cluster.apply(desired, session.signal);
    session.log('info', `Service ${desired.name} ${change}: ${desired.image}, ${desired.replicas} replicas`);
    if (change !== 'unchanged' && before?.replicas !== desired.replicas) {
      session.emit(createScaleLog({ ...session.place(), from: before?.replicas ?? 0, to: desired.replicas }));
    }
    await this.#converge(session, desired.image);
    return { service: desired.name };
  }

  override async undo(session: DeploymentSession): Promise<'undone'> {
    await this.rollout.takeBack(session);
    return 'undone';
  }

  async #converge(session: DeploymentSession, image: string): Promise<void> {
    const steadyMs = (await this.images.inspect(image))?.has_healthcheck ? 0 : STEADY_MS;
    let completeSince: number | undefined;
    await this.rollout.watch(session, ({ verdict, running }) => {
      if (running.length < session.config.replicas) completeSince = undefined;
      else completeSince ??= performance.now();
      const steady = completeSince !== undefined && performance.now() - completeSince >= steadyMs;
      return verdict.kind === 'converged' && (steady || session.config.replicas === 0);
    });
    session.log('info', `${session.config.replicas} of ${session.config.replicas} replicas run this version`);
  }
}
