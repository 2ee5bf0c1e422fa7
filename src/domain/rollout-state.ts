/** What the facts of a rollout change: its step, its pauses, and the deadline that stands still meanwhile. */
import type { DeploymentState, Fact, RolloutState } from './facts.js';

export type RolloutFact = Extract<Fact, { type: `rollout_${string}` }>;

const BEGINNING: RolloutState = { step: 0 };

/** A fact that changes nothing answers the state itself: it came too late, or twice. */
export function evolveRollout(state: DeploymentState, fact: RolloutFact): DeploymentState {
  const rollout = state.rollout ?? BEGINNING;
  switch (fact.type) {
    case 'rollout_step':
      if (rollout.step_started_at !== undefined && fact.step <= rollout.step) return state;
      return { ...state, rollout: { ...rollout, step: fact.step, service: fact.service, step_started_at: fact.at } };
    case 'rollout_paused': {
      if (rollout.paused || rollout.aborted || hasRolledOut(state)) return state;
      const { deadline_at, ...rest } = state;
      const left_ms = deadline_at === undefined ? undefined : Date.parse(deadline_at) - Date.parse(fact.at);
      const paused = { at: fact.at, reason: fact.reason, actor: fact.actor, ...(left_ms !== undefined && { left_ms }) };
      return { ...rest, rollout: { ...rollout, paused } };
    }
    case 'rollout_resumed': {
      if (!rollout.paused) return state;
      // The pause of a step has no other end; one that somebody asked for goes back to where it was.
      const isStep = rollout.paused.actor.kind === 'system';
      return goOn(state, { ...rollout, ...(isStep && { promoted_step: rollout.step }) }, fact.at);
    }
    case 'rollout_promoted': {
      const isSaid = rollout.promoted_fully || (!fact.full && rollout.promoted_step === rollout.step);
      if (rollout.aborted || (isSaid && !rollout.paused)) return state;
      const promoted = { ...rollout, promoted_step: rollout.step, ...(fact.full && { promoted_fully: true }) };
      return goOn(state, promoted, fact.at);
    }
    case 'rollout_aborted': {
      if (rollout.aborted) return state;
      const { actor, reason, error } = fact;
      return goOn(state, { ...rollout, aborted: { actor, reason, ...(error && { error }) } }, fact.at);
    }
  }
}

/** Whether its deploy phase is over and the deployment goes on after it. */
export function hasRolledOut({ phases }: DeploymentState): boolean {
  return phases.deploy.status === 'succeeded' || phases.deploy.status === 'skipped';
}

/** A pause that came during the last switch has nothing left to hold, and after the rollout nobody could end it any more. */
export function endLatePause(state: DeploymentState, at: string): DeploymentState {
  return state.rollout?.paused && hasRolledOut(state) ? goOn(state, state.rollout, at) : state;
}

function goOn(state: DeploymentState, { paused, ...rollout }: RolloutState, at: string): DeploymentState {
  if (paused?.left_ms === undefined) return { ...state, rollout };
  return { ...state, rollout, deadline_at: new Date(Date.parse(at) + paused.left_ms).toISOString() };
}
