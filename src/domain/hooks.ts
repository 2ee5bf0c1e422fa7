/** The hooks of a deployment, what is switched on for them, and how each ended. */

/** The places of a deployment where plugins run, in order. */
export const HOOKS = ['pre_build', 'pre_deploy', 'post_deploy'] as const;
export type Hook = (typeof HOOKS)[number];

/** What the failure of a hook means: `fail` stops the phase (in post_deploy the version is taken back), `warn` is recorded. */
export const ON_FAILURE = ['fail', 'warn'] as const;
export type OnFailure = (typeof ON_FAILURE)[number];

/** Deadline and meaning of a hook. */
export interface HookRule {
  readonly timeout_seconds: number;
  readonly on_failure: OnFailure;
}

/** What JSON can hold: options, outputs and details. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
export type JsonObject = { readonly [name: string]: Json };

export type Severity = 'error' | 'warning' | 'info';

/** One thing that a check has found. */
export interface Finding {
  /** Errors fail the hook once it has ended; warnings do so where the app's validation level says so. */
  readonly severity: Severity;
  /** The kind of finding, in snake_case: tools compare by it. */
  readonly code: string;
  /** A plain sentence. */
  readonly message: string;
  /** Where it is, such as `Dockerfile:3`. */
  readonly place?: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** A plugin that is switched on: server-wide, for an app, or for one deployment. */
export interface PluginUse {
  readonly name: string;
  readonly options?: JsonObject;
  /** Instead of what its hooks say themselves. */
  readonly on_failure?: OnFailure;
}

/** How one hook ended, as it is kept with the deployment. */
export interface HookResult {
  readonly plugin: string;
  readonly hook: Hook;
  readonly attempt: number;
  /** `warned`: it failed, or found something, and the deployment went on. */
  readonly outcome: 'passed' | 'warned' | 'failed';
  readonly duration_ms: number;
  readonly code?: string;
  readonly message?: string;
  readonly findings?: readonly Finding[];
  readonly outputs?: JsonObject;
}
