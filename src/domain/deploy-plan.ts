/** What a deployment would do, in order, and what that means for those who use the app: told before anything is touched. Pure. */
import { describeSource, runsAgain, skippedPhases } from './app-spec.js';
import type { Severity } from './hooks.js';
import type { PlanInput, PlanStep } from './plan-step.js';
import type { Phase } from './phases.js';
import { outageOf, rolloutOf, type Downtime, type RolloutKind } from './rollout-preview.js';

export * from './plan-step.js';

/** One thing that speaks against a deployment; `stops`: it would not get past it. */
export interface Issue {
  readonly code: string;
  readonly severity: Severity;
  readonly stops: boolean;
  readonly path?: string;
  readonly message: string;
  readonly hint?: string;
  readonly plugin?: string;
  readonly evidence?: readonly string[];
}

export interface DeployPlan {
  readonly plan: readonly PlanStep[];
  /** Replicas that serve now and would be replaced. */
  readonly restart: { readonly replicas: number; readonly reason: string };
  readonly expected_downtime: Downtime;
  /** Replicas that would run at most beside those that run now, and what they reserve. */
  readonly capacity: {
    readonly replicas_extra: number;
    readonly cpus: number;
    readonly memory_mb: number;
    readonly fits: boolean;
  };
}

export function planOf(input: PlanInput): DeployPlan {
  const { config, room } = input;
  const rollout = rolloutOf(input);
  const { cpu_reservation = 0, memory_reservation_mb = 0 } = config.resources;
  const extra = rollout.replicas_extra;
  return {
    plan: [...preBuild(input), ...build(input), ...preDeploy(input), ...rollout.steps, ...postDeploy(input)],
    restart: restartOf(input, rollout.kind),
    expected_downtime: outageOf(input, rollout.kind),
    capacity: {
      replicas_extra: extra,
      // Ten replicas of 0.1 cores are one core.
      cpus: Math.round(extra * cpu_reservation * 1000) / 1000,
      memory_mb: extra * memory_reservation_mb,
      fits: room >= extra,
    },
  };
}

function preBuild({ spec, config, image, plugins }: PlanInput): PlanStep[] {
  const phase = 'pre_build';
  const reason = skippedPhases(spec, config).pre_build;
  if (reason !== undefined) return [skip(phase, reason)];
  if (image !== undefined) return [skip(phase, `the source asks for the image ${image}, there is nothing to check`)];
  const checks = plugins.pre_build;
  return [{ phase, action: 'check', summary: `The source is unpacked; ${lookedAt(checks)}.`, ...by(checks) }];
}

function build({ spec, config, image }: PlanInput): PlanStep[] {
  const phase = 'build';
  const { source } = spec;
  const reason = skippedPhases(spec, config).build;
  if (reason !== undefined) return [skip(phase, reason)];
  const fetched = source.kind === 'image' ? source.image : image;
  if (fetched !== undefined) {
    const summary = `Nothing is built: ${fetched} is fetched and pinned to its digest.`;
    return [{ phase, action: 'fetch', summary, data: { image: fetched } }];
  }
  const described = describeSource(source);
  return [
    { phase, action: 'build', summary: `Docker builds the image from ${described}.`, data: { source: described } },
  ];
}

/** What these plugins do is more than looking. */
const COMMANDS = {
  'run-tests': { action: 'test', summary: 'The tests of the app run in the new image.' },
  'release-command': { action: 'release_command', summary: 'The release command runs in the new image, once.' },
} as const;

function preDeploy({ spec, config, plugins }: PlanInput): PlanStep[] {
  const phase = 'pre_deploy';
  const reason = skippedPhases(spec, config).pre_deploy;
  if (reason !== undefined) return [skip(phase, reason)];
  const isCommand = (name: string): name is keyof typeof COMMANDS => Object.hasOwn(COMMANDS, name);
  const checks = plugins.pre_deploy.filter((name) => !isCommand(name));
  const commands = plugins.pre_deploy.filter(isCommand);
  return [
    { phase, action: 'check', summary: `Nothing of the cluster is touched; ${lookedAt(checks)}.`, ...by(checks) },
    ...commands.map((name): PlanStep => ({ phase, ...COMMANDS[name], plugins: [name] })),
  ];
}

function postDeploy({ spec, config, before, service, adopted = service, check, plugins }: PlanInput): PlanStep[] {
  const phase = 'post_deploy';
  const reason = skippedPhases(spec, config).post_deploy;
  if (reason !== undefined) return [skip(phase, reason)];
  const { bake_ms } = check;
  const again = 'Every replica of the new version passes its health check once more';
  const watch = bake_ms > 0 ? `${again} and stays healthy for ${bake_ms / 1000} s.` : `${again}.`;
  const askers = plugins.post_deploy;
  const retiring = before.services.filter((name) => name !== adopted);
  const { strategy } = config;
  const delay_seconds = strategy.type === 'rolling' ? 0 : strategy.scale_down_delay_seconds;
  const after = delay_seconds > 0 ? `after ${delay_seconds} s, ` : '';
  return [
    { phase, action: 'watch', summary: watch, data: { bake_ms } },
    ...(askers.length > 0
      ? [{ phase, action: 'check', summary: `The new version serves; ${lookedAt(askers)}.`, ...by(askers) } as const]
      : []),
    ...(retiring.length > 0
      ? [
          {
            phase,
            action: 'retire',
            summary: `${retiring.join(', ')} retires: ${after}once its last request is answered.`,
            data: { services: retiring, delay_seconds },
          } as const,
        ]
      : []),
  ];
}

function restartOf({ spec, before, adopted }: PlanInput, kind: RolloutKind): DeployPlan['restart'] {
  if (before.services.length === 0) return { replicas: 0, reason: 'Nothing runs yet.' };
  const { replicas } = before;
  if (kind === 'stays')
    return { replicas: 0, reason: 'The replicas that run are just what is asked for: at most their number changes.' };
  if (adopted !== undefined)
    return { replicas, reason: `${adopted} runs just what is asked for, and takes the place of the others.` };
  return runsAgain(spec.source)
    ? { replicas, reason: 'What replicas are made of changes, such as their environment, command or resources.' }
    : { replicas, reason: 'A source or an image that is deployed always starts new replicas.' };
}

function skip(phase: Phase, reason: string): PlanStep {
  return { phase, action: 'skip', summary: `Nothing is done: ${reason}.` };
}

function lookedAt(plugins: readonly string[]): string {
  return plugins.length === 0
    ? 'no plugin looks at it'
    : `${plugins.join(', ')} ${plugins.length > 1 ? 'look' : 'looks'} at it`;
}

function by(plugins: readonly string[]): Pick<PlanStep, 'plugins'> {
  return plugins.length > 0 ? { plugins } : {};
}
