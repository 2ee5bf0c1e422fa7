/** FlukeDeploy as its users run it: the built program in a process of its own, with a data folder of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
export const ADMIN_PASSWORD = 'correct horse battery staple';
const START_TIMEOUT_MS = 60_000;

export interface RunningServer {
  readonly url: string;
  readonly streamUrl: string;
  readonly process: ChildProcess;
  /** What it printed, for failing tests to show. */
  readonly output: readonly string[];
}

/**
 * Starts the program and waits until it serves.
 * @param inside what stands in front of the command, such as a namespace
 */
export async function startProcess(
  environment: Readonly<Record<string, string>>,
  inside: readonly string[] = [],
): Promise<RunningServer> {
  const [program, ...args] = [...inside, process.execPath, '--enable-source-maps', MAIN];
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'], HOST: '127.0.0.1', PORT: '0', WS_PORT: '0', HTTP_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  let streamUrl = '';
  const served = new Promise<string>((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        output.push(line);
        if (output.length > 500) output.shift();
        streamUrl = /Log stream on (ws:\S+)/.exec(line)?.[1] ?? streamUrl;
        const url = /API on (http:\S+)/.exec(line)?.[1];
        if (url) resolve(url);
      });
    }
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the server ended with code ${String(code)}:\n${output.join('\n')}`);
  });
  const timeout = AbortSignal.timeout(START_TIMEOUT_MS);
  const late = once(timeout, 'abort').then(() => {
    throw new Error(`the server did not start:\n${output.join('\n')}`);
  });
  const url = await Promise.race([served, ended, late]);
  // From here on its end is the test's affair.
  ended.catch(() => undefined);
  late.catch(() => undefined);
  // One that ends by itself is seen by its tests as an API that does not answer, and nothing more.
  child.once('exit', (code) => {
    if (code) process.stderr.write(`the server ended with code ${code}:\n${output.slice(-40).join('\n')}\n`);
  });
  return { url, streamUrl, process: child, output };
}

export async function stopProcess(
  { process: child }: RunningServer,
  signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

/** A server of the role `all` on a data folder that outlives its processes: it can be stopped, killed and started again. */
export class TestInstallation {
  #server: RunningServer | undefined;

  private constructor(
    readonly directory: string,
    private readonly environment: Readonly<Record<string, string>>,
    private readonly inside: readonly string[],
  ) {}

  static async create(
    environment: Readonly<Record<string, string>> = {},
    inside: readonly string[] = [],
  ): Promise<TestInstallation> {
    const directory = await mkdtemp(join(tmpdir(), 'flukedeploy-e2e-'));
    // The private PostgreSQL runs as another user, who must be able to pass.
    await chmod(directory, 0o711);
    const installation = new TestInstallation(directory, environment, inside);
    await installation.start();
    return installation;
  }

  get server(): RunningServer {
    if (this.#server === undefined) throw new Error('the server is not running');
    return this.#server;
  }

  async start(changes: Readonly<Record<string, string>> = {}): Promise<RunningServer> {
    const own = {
      DATA_DIR: this.directory,
      FLUKEDEPLOY_ADMIN_PASSWORD: ADMIN_PASSWORD,
      FLUKEDEPLOY_LEASE_SECONDS: '3',
    };
    this.#server = await startProcess({ ...own, ...this.environment, ...changes }, this.inside);
    return this.#server;
  }

  async kill(): Promise<void> {
    await stopProcess(this.server, 'SIGKILL');
  }

  async stop(): Promise<void> {
    await stopProcess(this.server);
  }

  /** Ends everything, the private stores of a killed server included, and removes the folder. */
  async remove(): Promise<void> {
    if (this.#server && this.#server.process.exitCode === null && this.#server.process.signalCode === null)
      await this.stop();
    else if (this.#server) await this.start().then(() => this.stop());
    await rm(this.directory, { recursive: true, force: true });
  }
}
