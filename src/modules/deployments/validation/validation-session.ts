/** A validation as hooks see it: it has the configuration and the secrets of a deployment, and writes no log. */
import type { AppConfig, DeploySpec } from '../../../domain/app-spec.js';
import type { Base, DeploymentIdentity } from '../../../domain/facts.js';
import type { Hook } from '../../../domain/hooks.js';
import type { HookSession } from '../hooks/hook-session.js';

interface Validated {
  readonly identity: DeploymentIdentity;
  readonly base: Base;
  readonly spec: DeploySpec;
  readonly config: AppConfig;
  /** Clear values. */
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export class ValidationSession implements HookSession {
  readonly attempt = 1;
  readonly begun = 1;
  readonly config: AppConfig;
  readonly env: Validated['env'];
  readonly secrets: Validated['secrets'];
  readonly record: HookSession['record'];
  readonly state: HookSession['state'];

  constructor(
    { identity, base, spec, config, env, secrets }: Validated,
    readonly phase: Hook,
    readonly signal: AbortSignal,
  ) {
    this.config = config;
    this.env = env;
    this.secrets = secrets;
    this.record = { spec };
    this.state = { identity, base };
  }

  place(): ReturnType<HookSession['place']> {
    return { at: new Date().toISOString(), phase: this.phase, attempt: this.attempt };
  }

  /** What counts of a hook is how it ends; nobody reads what it says meanwhile. */
  emit(): void {}
  note(): void {}
  readonly output = (): void => undefined;
}
