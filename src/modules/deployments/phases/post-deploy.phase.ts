/** post_deploy: the new version serves, is watched for a while and asked by plugins before the deployment may be called a success. */
import { Injectable } from '@nestjs/common';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { switched } from '../../../domain/rollout-plan.js';
import type { DeploymentSession } from '../deployment-session.js';
import { HookReach } from '../hooks/hook-reach.js';
import { HookRunner } from '../hooks/hook-runner.js';
import { PhaseHandler } from '../phase-handler.js';
import { retire } from '../rollout/retirement-plan.js';
import type { Rollout } from '../rollout/rollout.js';
import { Rollouts } from '../rollout/rollouts.js';
import { takeBack } from '../rollout/take-back.js';

@Injectable()
export class PostDeployPhase extends PhaseHandler {
  readonly phase = 'post_deploy';

  constructor(
    private readonly rollouts: Rollouts,
    private readonly hooks: HookRunner,
    private readonly reach: HookReach,
  ) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const rollout = await this.rollouts.open(session);
    await this.#bake(rollout);
    await this.#ask(rollout);
    await this.#retire(rollout);
    return {};
  }

  override async undo(session: DeploymentSession, error: unknown): Promise<'undone' | 'kept'> {
    if (!session.record.spec.auto_rollback && !session.isCancelled) return 'kept';
    return takeBack(session, this.rollouts.ports, error);
  }

  /** Every replica passes once more, and stays healthy. */
  async #bake(rollout: Rollout): Promise<void> {
    await rollout.gated(rollout.wanted);
    const until = rollout.clock() + rollout.gate.gate.check.bake_ms;
    await rollout.watch(
      ({ verdict, ready }) =>
        verdict.kind === 'converged' && ready.length >= rollout.wanted && rollout.clock() >= until,
    );
  }

  /** What the plugins find; meanwhile the version may have fallen ill, so it is looked at once more. */
  async #ask(rollout: Rollout): Promise<void> {
    const { session, desired } = rollout;
    const asked = await this.hooks.run(session, this.phase, (...due) => this.reach.serving(session, desired, ...due));
    if (asked) await rollout.gated(rollout.wanted);
  }

  /** The version before goes once its time is over and its last request is answered; somebody else sees to that. */
  async #retire(rollout: Rollout): Promise<void> {
    const { strategy } = rollout.config;
    const delay_ms = strategy.type === 'rolling' ? 0 : strategy.scale_down_delay_seconds * 1000;
    const others = rollout.base.retiring.filter(({ service }) => service !== rollout.desired.name);
    const retiring = rollout.before.map(({ service }) => retire(service, rollout.edge.enabled, delay_ms, Date.now()));
    const [first] = retiring;
    if (first === undefined && others.length === rollout.base.retiring.length) return;
    const summary = first
      ? `${retiring.map(({ service }) => service).join(', ')} retires from ${first.not_before} on`
      : `${rollout.desired.name} retires no longer`;
    await rollout.shift(switched(rollout.traffic, rollout.backend()), summary, { retiring: [...others, ...retiring] });
  }
}
