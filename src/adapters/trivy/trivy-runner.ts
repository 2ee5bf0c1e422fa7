/** A place where Trivy runs: as a program of this machine, or in a container. */
import type { TrivyCommand } from './trivy-command.js';
import type { TrivyOutcome } from './trivy-output.js';

export interface TrivyRunner {
  /** Where Trivy finds its cache there. */
  readonly cacheFolder: string;
  /** What it is, with its version; `undefined` where it cannot be had. */
  available(signal: AbortSignal): Promise<string | undefined>;
  /** @throws the signal's reason when it was stopped */
  run(command: TrivyCommand, signal: AbortSignal): Promise<TrivyOutcome>;
}
