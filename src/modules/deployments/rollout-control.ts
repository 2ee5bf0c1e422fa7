/** What people may say while a version is on its way: go on, wait, go on again, take it back. */
import { Injectable } from '@nestjs/common';
import type { Actor, DeploymentState, Fact } from '../../domain/deployment.js';
import { DeployError } from '../../domain/errors.js';
import { isFinal } from '../../domain/phases.js';
import { DeploymentStore, Secrets, type Principal } from '../../domain/ports.js';
import { hasRolledOut } from '../../domain/rollout-state.js';
import { Logbook } from '../logs/index.js';
import { planHash, PolicyGate } from '../policy/index.js';

type Word = 'promote' | 'pause' | 'resume' | 'abort';

/** Whether its deploy phase runs and nobody has given it up. */
export function isRollingOut(state: DeploymentState): boolean {
  const { status, phases, rollout, cancel } = state;
  const hasBegun = phases.deploy.started_at !== undefined;
  return !isFinal(status) && hasBegun && !hasRolledOut(state) && !rollout?.aborted && !cancel;
}

@Injectable()
export class RolloutControl {
  constructor(
    private readonly store: DeploymentStore,
    private readonly logbook: Logbook,
    private readonly policy: PolicyGate,
    private readonly secrets: Secrets,
  ) {}

  promote(id: string, principal: Principal, full: boolean): Promise<void> {
    return this.#say('promote', id, principal, (actor, at) => ({ type: 'rollout_promoted', at, actor, full }));
  }

  pause(id: string, principal: Principal, reason = `asked for by ${principal.actor.name}`): Promise<void> {
    return this.#say('pause', id, principal, (actor, at) => ({ type: 'rollout_paused', at, actor, reason }));
  }

  /** @throws DeployError `not_paused` */
  resume(id: string, principal: Principal): Promise<void> {
    return this.#say('resume', id, principal, (actor, at) => ({ type: 'rollout_resumed', at, actor }));
  }

  abort(id: string, principal: Principal, reason = `asked for by ${principal.actor.name}`): Promise<void> {
    return this.#say('abort', id, principal, (actor, at) => ({ type: 'rollout_aborted', at, actor, reason }));
  }

  /**
   * The worker hears of it when it looks at the deployment next, several times a second. What was said before changes nothing.
   * @throws DeployError `deployment_not_found`, `deployment_ended`, `rollout_not_running`, `not_paused`
   */
  async #say(word: Word, id: string, principal: Principal, fact: (actor: Actor, at: string) => Fact): Promise<void> {
    const { actor } = principal;
    const record = await this.store.find(id);
    if (record === undefined) throw new DeployError('deployment_not_found');
    requireRollout(id, record.state, word);
    const said = fact(actor, new Date().toISOString());
    await this.#admit(word, id, principal, record.state, said);
    const appended = await this.logbook.append({ deployment_id: id, items: [{ fact: said }] });
    // It changed nothing: either it was said before, or the rollout has ended since it was looked at.
    if (appended?.rows.length === 0) requireRollout(id, appended.state, word);
  }

  /** An approval is for this step of this rollout: at the next one it must be asked for again. */
  #admit(
    kind: Word,
    id: string,
    principal: Principal,
    { identity, rollout }: DeploymentState,
    fact: Fact,
  ): Promise<void> {
    const { app_name, environment } = identity;
    const full = fact.type === 'rollout_promoted' && fact.full;
    const summary = `${kind}${full ? ' in full' : ''} ${id} at step ${(rollout?.step ?? 0) + 1}`;
    const plan_hash = planHash(this.secrets, [kind, id, full, rollout?.step]);
    return this.policy.admitNow(principal, { kind, app_name, environment }, { plan_hash, summary });
  }
}

function requireRollout(id: string, state: DeploymentState, word: Word): void {
  if (isFinal(state.status)) throw new DeployError('deployment_ended', `Deployment ${id} has ended: ${state.status}.`);
  if (!isRollingOut(state) && !(word === 'abort' && state.rollout?.aborted)) {
    const what = state.rollout?.aborted ? 'is being taken back' : `is ${state.status}, not in its deploy phase`;
    throw new DeployError('rollout_not_running', `Deployment ${id} ${what}.`);
  }
  if (word === 'resume' && !state.rollout?.paused) throw new DeployError('not_paused');
}
