/** How the replicas of an app would be replaced, step by step, by the arithmetic of the rollout itself. Pure. */
import { isExclusive } from './app-spec.js';
import type { PlanInput, PlanStep } from './plan-step.js';
import { canaryReplicas, nextWave } from './rollout-plan.js';
import type { BlueGreenStrategy, CanaryStrategy, RollingStrategy } from './strategy.js';

/**
 * `stays`: the replicas that serve are just what is asked for; `adopts`: others that run are; `begins`: nothing serves yet;
 * `stops_first`: old replicas go before new ones come; `beside`: both versions run at once.
 */
export type RolloutKind = 'stays' | 'adopts' | 'begins' | 'stops_first' | 'beside';

export interface RolloutPreview {
  readonly kind: RolloutKind;
  readonly steps: readonly PlanStep[];
  readonly replicas_extra: number;
}

export interface Downtime {
  /** 0, or how long nothing answers at least; no program says how long it takes to stop and to start. */
  readonly seconds: number;
  readonly reason: string;
}

const phase = 'deploy';
/** Swarm takes a replica out of DNS so long before it stops it. */
const STOP_SECONDS = 2;

export function rolloutOf(input: PlanInput): RolloutPreview {
  const { config, service, before, adopted } = input;
  const { strategy, replicas: wanted } = config;
  const more = Math.max(0, wanted - before.replicas);
  const over = [start(adopted ?? service, wanted), switchTo(adopted ?? service)];
  if (adopted !== undefined) {
    if (before.services.includes(adopted))
      return { kind: 'stays', steps: staying(input, adopted), replicas_extra: more };
    const stops = isExclusive(config) && before.services.length > 0;
    return {
      kind: stops ? 'stops_first' : 'adopts',
      steps: [...(stops ? stop(input) : []), ...over],
      replicas_extra: stops ? more : wanted,
    };
  }
  if (before.services.length === 0) return { kind: 'begins', steps: over, replicas_extra: wanted };
  if (isExclusive(config)) return { kind: 'stops_first', steps: [...stop(input), ...over], replicas_extra: more };
  switch (strategy.type) {
    case 'rolling':
      return rolling(input, strategy);
    case 'blue_green':
      return { kind: 'beside', steps: blueGreen(input, strategy), replicas_extra: wanted };
    case 'canary':
      return { kind: 'beside', steps: canary(input, strategy), replicas_extra: wanted };
  }
}

/** Whether, and for how long, nothing answers. */
export function outageOf({ config, before, check }: PlanInput, kind: RolloutKind): Downtime {
  if (config.replicas === 0 && before.services.length > 0)
    return {
      seconds: 0,
      reason: 'The deployment itself causes none; as no replicas are asked for, nothing answers afterwards.',
    };
  switch (kind) {
    case 'begins':
      return { seconds: 0, reason: 'Nothing serves yet.' };
    case 'stays':
      return { seconds: 0, reason: 'The replicas that serve stay.' };
    case 'adopts':
    case 'beside':
      return { seconds: 0, reason: 'New replicas prove themselves before they take requests from the old ones.' };
    case 'stops_first': {
      const proof_ms = check.interval_ms * (check.healthy_threshold - 1);
      const holders = [
        ...(config.volumes.length > 0 ? ['Volumes'] : []),
        ...(config.ports.length > 0 ? ['Host ports'] : []),
      ];
      return {
        seconds: STOP_SECONDS + Math.ceil(proof_ms / 1000),
        reason:
          `${holders.join(' and ')} have one holder at a time: a short downtime, from the stop of the old replicas until the new ones ` +
          `have started and are healthy, for which they have ${check.deadline_ms / 1000} s.`,
      };
    }
  }
}

function staying({ config, before }: PlanInput, service: string): PlanStep[] {
  const [from, to] = [before.replicas, config.replicas];
  const summary =
    from === to
      ? `${service} runs just this: no replica is replaced.`
      : `${service} goes from ${from} to ${to} replicas; none is replaced.`;
  return [{ phase, action: 'start', summary, data: { service, from, to } }];
}

function stop({ before }: PlanInput): PlanStep[] {
  const { services, replicas } = before;
  const summary = `${services.join(', ')}: the old ${count(replicas)} ${replicas === 1 ? 'stops' : 'stop'} first, as volumes and host ports have one holder at a time.`;
  return [{ phase, action: 'stop', summary, data: { services, replicas } }];
}

/** As if every new replica passed its gate at once. */
function rolling({ config, service, before }: PlanInput, strategy: RollingStrategy): RolloutPreview {
  const wanted = config.replicas;
  const waves: { come: number; go: number }[] = [];
  let [now, ready, most] = [{ before: before.replicas, fresh: 0 }, 0, before.replicas];
  while (ready < wanted) {
    const next = nextWave({ strategy, wanted, ...now, ready });
    const [come, go] = [next.fresh - now.fresh, now.before - next.before];
    const last = waves.at(-1);
    // Old replicas go once those that came in the same wave have proved themselves.
    if (come === 0 && last) last.go += go;
    else waves.push({ come, go });
    most = Math.max(most, next.before + next.fresh);
    [now, ready] = [next, next.fresh];
  }
  const steps = waves.map(({ come, go }, index) => {
    const coming = come > 0 && `${count(come)} of ${service} ${come === 1 ? 'comes' : 'come'}`;
    const going = go > 0 && `${go} old ${go === 1 ? 'goes' : 'go'}`;
    const news = [coming, going].filter((each) => each !== false).join(', then ');
    return step('wave', `Wave ${index + 1} of ${waves.length}: ${news}.`, { wave: index + 1, come, go });
  });
  return { kind: 'beside', steps: [...steps, switchTo(service)], replicas_extra: most - before.replicas };
}

function blueGreen({ config, service }: PlanInput, { preview_host, auto_promote }: BlueGreenStrategy): PlanStep[] {
  return [
    start(service, config.replicas),
    ...(preview_host === undefined
      ? []
      : [step('preview', `${service} shows itself at ${preview_host}.`, { host: preview_host })]),
    ...(auto_promote ? [] : [step('wait', 'The switch waits for promote.', {})]),
    switchTo(service),
  ];
}

function canary({ config, service }: PlanInput, { steps, analysis }: CanaryStrategy): PlanStep[] {
  const watched = analysis === false ? '' : ', while both versions are compared';
  return [
    ...steps.map((each) => {
      if ('set_weight' in each) {
        const { set_weight: weight } = each;
        const replicas = canaryReplicas(config.replicas, weight);
        return step('weight', `${weight} % of the requests go to ${count(replicas)} of ${service}.`, {
          weight,
          replicas,
        });
      }
      const { duration_seconds } = each.pause;
      return duration_seconds === undefined
        ? step('wait', `The step waits for promote${watched}.`, {})
        : step('pause', `${duration_seconds} s pass${watched}.`, { duration_seconds });
    }),
    start(service, config.replicas),
    switchTo(service),
  ];
}

function start(service: string, replicas: number): PlanStep {
  return step('start', `${service} runs ${count(replicas)}, which prove themselves.`, { service, replicas });
}

function switchTo(service: string): PlanStep {
  return step('switch', `All requests go to ${service}.`, { service });
}

function step(action: PlanStep['action'], summary: string, data: NonNullable<PlanStep['data']>): PlanStep {
  return { phase, action, summary, ...(Object.keys(data).length > 0 && { data }) };
}

function count(replicas: number): string {
  return `${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`;
}
