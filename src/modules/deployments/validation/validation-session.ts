/** A validation as hooks see it: it has the configuration and the secrets of a deployment, and writes no log. */
import type { Hook } from '../../../domain/hooks.js';
import { boundedText, createMasker, secretValues, type Masker } from '../../../domain/masking.js';
import type { HookSession } from '../hooks/hook-session.js';
import type { Outlook } from './outlook.js';

type Validated = Pick<Outlook, 'identity' | 'base' | 'spec' | 'config' | 'env' | 'secrets'>;

export class ValidationSession implements HookSession {
  readonly #masker: Masker;
  readonly attempt = 1;
  readonly begun = 1;
  readonly config: Validated['config'];
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
    this.#masker = createMasker(secretValues({ ...env, ...secrets }));
    this.record = { spec };
    this.state = { identity, base };
  }

  place(): ReturnType<HookSession['place']> {
    return { at: new Date().toISOString(), phase: this.phase, attempt: this.attempt };
  }

  /** What counts of a hook is how it ends; nobody reads what it says meanwhile. */
  emit(): void {}
  note(): void {}
  readonly bounded = (text: string, length: number): string => boundedText(this.#masker, text, length);
  readonly output = (): void => undefined;
}
