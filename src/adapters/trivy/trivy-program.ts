/** Trivy as a program of this machine: started without a shell, in a group of its own, with an environment of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { TRIVY_ENVIRONMENT, VERSION, versionOf, type TrivyCommand } from './trivy-command.js';
import { TrivyOutput, type TrivyOutcome } from './trivy-output.js';
import type { TrivyRunner } from './trivy-runner.js';

const VERSION_TIMEOUT_MS = 10_000;

/** What the system answers where there is no such program, or none that may be run. */
const NO_PROGRAM: readonly unknown[] = ['ENOENT', 'EACCES', 'ENOTDIR', 'ENOEXEC'];

export interface TrivyProgramOptions {
  /** Its name or path; left out = the one in the usual folders. */
  readonly program?: string | undefined;
  /** Of its own. Trivy runs in it: a `trivy.yaml` there sets mirrors and proxies. */
  readonly cacheFolder: string;
  readonly dockerHost: string;
}

export class TrivyProgram implements TrivyRunner {
  readonly cacheFolder: string;
  readonly #program: string;
  readonly #environment: Readonly<Record<string, string>>;

  constructor({ program = 'trivy', cacheFolder, dockerHost }: TrivyProgramOptions) {
    this.cacheFolder = cacheFolder;
    this.#program = program;
    this.#environment = {
      ...TRIVY_ENVIRONMENT,
      PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
      HOME: cacheFolder,
      DOCKER_HOST: dockerHost,
    };
  }

  async available(signal: AbortSignal): Promise<string | undefined> {
    const timeout = AbortSignal.timeout(VERSION_TIMEOUT_MS);
    try {
      const { succeeded, stdout } = await this.run(VERSION, AbortSignal.any([signal, timeout]));
      const version = succeeded ? versionOf(stdout) : undefined;
      return version && `trivy ${version}`;
    } catch (error) {
      signal.throwIfAborted();
      if (timeout.aborted || NO_PROGRAM.includes((error as NodeJS.ErrnoException).code)) return undefined;
      throw error;
    }
  }

  async run(command: TrivyCommand, signal: AbortSignal): Promise<TrivyOutcome> {
    signal.throwIfAborted();
    await mkdir(this.cacheFolder, { recursive: true, mode: 0o700 });
    const child = spawn(this.#program, command.arguments, {
      cwd: this.cacheFolder,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // The leader of a new group, so that whatever it starts can be stopped together with it.
      detached: true,
    });
    const stop = (): void => killGroup(child.pid);
    const output = new TrivyOutput(command.outputBytes, stop);
    child.stdout.pipe(output.stdout);
    child.stderr.pipe(output.stderr);
    signal.addEventListener('abort', stop, { once: true });
    try {
      const [exitCode] = (await once(child, 'close')) as [number | null];
      signal.throwIfAborted();
      return output.outcome(exitCode);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}

function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // ESRCH: all of them have ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
