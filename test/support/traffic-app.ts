/** The traffic app as something to deploy, or to run as a plain process: its whole source is the command, so that nothing is built. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { createInterface } from 'node:readline';

/** What a version is like. All times count from the start of its process. */
export interface TrafficAppOptions {
  /** Named by every answer, in the header `x-version`. */
  readonly version: string;
  /** Until then it runs without accepting connections. */
  readonly listen_after_ms?: number;
  /** How many of 100 GETs of `/` are answered by 500. */
  readonly error_percent?: number;
  /** How much longer GETs of `/` take. */
  readonly extra_latency_ms?: number;
  /** What `/health` answers, 200 by default. */
  readonly health_status?: number;
  /** Until then `/health` answers 503. */
  readonly healthy_after_ms?: number;
  /** From then on `/health` answers 503; everything else works. */
  readonly unhealthy_after_ms?: number;
  readonly crash_after_ms?: number;
  /** Of the crash, 1 by default. */
  readonly exit_code?: number;
  /** Memory that it takes at the start and keeps. */
  readonly memory_hog_mb?: number;
  /** `exit`: at once, whatever is open; `ignore`: until it is killed; by default it finishes what is open. */
  readonly on_sigterm?: 'exit' | 'graceful' | 'ignore';
  /** How long a graceful end may take, 3 s by default. */
  readonly drain_ms?: number;
}

export const TRAFFIC_APP_PORT = 3_000;
const SOURCE = new URL('./traffic-app.process.ts', import.meta.url);
/** Of one argument, as the API takes them. */
const ARGUMENT_LENGTH = 4_000;
const RUN_ARGUMENTS = "import('data:text/javascript,' + encodeURIComponent(process.argv.slice(1).join('')))";

/** Fields for `POST /api/v1/deploy`; `app_name`, `domains`, `strategy` and the like are the caller's. */
export function trafficApp(options: TrafficAppOptions) {
  return {
    image: 'node:24',
    command: trafficAppCommand(),
    env: trafficAppEnvironment(options),
    port: TRAFFIC_APP_PORT,
    health_check: { path: '/health', interval_ms: 200, healthy_threshold: 1, deadline_ms: 30_000 },
  };
}

export function trafficAppCommand(): string[] {
  const source = stripTypeScriptTypes(readFileSync(SOURCE, 'utf8')).replaceAll(/ +$/gm, '');
  const parts = source.match(new RegExp(`[^]{1,${ARGUMENT_LENGTH}}`, 'g')) ?? [];
  // `--`: none of the parts may be taken for an option.
  return ['node', '-e', RUN_ARGUMENTS, '--', ...parts];
}

/** The options as environment variables, by the same names. */
export function trafficAppEnvironment(options: TrafficAppOptions): Record<string, string> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name.toUpperCase(), String(value)]));
}

export interface RunningTrafficApp {
  readonly url: string;
  readonly port: number;
  readonly process: ChildProcess;
  /** Ends it by the signal and waits for its end. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
}

/** Runs it as a process of this machine, on a free port, and waits until it listens. */
export async function runTrafficApp(options: TrafficAppOptions): Promise<RunningTrafficApp> {
  const child = spawn(process.execPath, trafficAppCommand().slice(1), {
    env: { PATH: process.env['PATH'], PORT: '0', ...trafficAppEnvironment(options) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit');
  const listens = new Promise<number>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const port = / listens on (\d+)$/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
  const early = exit.then(([code]) => {
    throw new Error(`the traffic app ended with code ${String(code)}`);
  });
  const port = await Promise.race([listens, early]);
  // From here on its end is the test's affair.
  early.catch(() => undefined);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process: child,
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await exit;
    },
  };
}
