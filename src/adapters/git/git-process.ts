/** Runs one git command in a process group of its own: bounded in output, and stopped with all its children. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { DeployError } from '../../domain/errors.js';

export interface GitCommand {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly folder?: string;
  readonly signal: AbortSignal;
}

export interface GitOutcome {
  readonly succeeded: boolean;
  readonly stdout: string;
  /** The end of it. */
  readonly stderr: string;
  /** It wrote more than is read, and was stopped. */
  readonly overflowed: boolean;
}

/** Enough for the padded sizes of 100,000 files. */
const OUTPUT_BYTES = 1024 * 1024;
const ERROR_BYTES = 64 * 1024;

/** @throws the signal's reason when it was stopped; DeployError `unavailable` where git is not installed */
export async function runGit({ args, environment, folder, signal }: GitCommand): Promise<GitOutcome> {
  signal.throwIfAborted();
  const child = spawn('git', args, {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The leader of a new group, so that its helpers can be stopped together with it.
    detached: true,
  });
  const stop = () => {
    if (child.pid !== undefined) killGroup(child.pid);
  };

  const output: Buffer[] = [];
  let length = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length <= OUTPUT_BYTES) output.push(chunk);
    else stop();
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    errors = (errors + chunk).slice(-ERROR_BYTES);
  });

  signal.addEventListener('abort', stop, { once: true });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    signal.throwIfAborted();
    const overflowed = length > OUTPUT_BYTES;
    return {
      succeeded: code === 0 && !overflowed,
      stdout: Buffer.concat(output).toString(),
      stderr: errors,
      overflowed,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== 'spawn git') throw error;
    throw new DeployError('unavailable', 'The program git cannot be started. Is it installed?', { cause: error });
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    // ESRCH: all of them have ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
