/** The steps of a plan, and the facts that one is made from. */
import type { AppConfig, DeploySpec, HealthCheck } from './app-spec.js';
import type { Hook, JsonObject } from './hooks.js';
import type { Phase } from './phases.js';

export const PLAN_ACTIONS = [
  'skip',
  'check',
  'fetch',
  'build',
  'test',
  'release_command',
  'start',
  'stop',
  'wave',
  'preview',
  'weight',
  'pause',
  'wait',
  'switch',
  'watch',
  'retire',
] as const;
export type PlanAction = (typeof PLAN_ACTIONS)[number];

/** One thing that is done: a sentence, and the numbers in it. */
export interface PlanStep {
  readonly phase: Phase;
  readonly action: PlanAction;
  readonly summary: string;
  /** Names of the plugins that do it. */
  readonly plugins?: readonly string[];
  readonly data?: JsonObject;
}

export interface PlanInput {
  readonly spec: DeploySpec;
  readonly config: AppConfig;
  /** The image that the source names, where it is known that nothing is built. */
  readonly image?: string;
  /** Service that the new version would get. */
  readonly service: string;
  /** What answers the requests now. */
  readonly before: { readonly services: readonly string[]; readonly replicas: number };
  /** The service that runs just what is asked for, where an image runs again and there is one. */
  readonly adopted?: string;
  /** How the replicas would prove themselves. */
  readonly check: HealthCheck;
  /** Names of the plugins that would run, by hook, in order. */
  readonly plugins: Readonly<Record<Hook, readonly string[]>>;
  /** How many more replicas the cluster has room for. */
  readonly room: number;
}
