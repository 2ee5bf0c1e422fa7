/** A server process: started, waited for until it is ready, asked, stopped. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { until } from '../../test/support/until.ts';
import { now } from './benchmark.ts';

export const FLUKEDEPLOY = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
export const BARE_NEST = fileURLToPath(new URL('../baselines/bare-nest.js', import.meta.url));
const PASSWORD = 'correct horse battery staple';

export interface Server {
  readonly url: string;
  /** Empty where the program has none. */
  readonly streamUrl: string;
  readonly pid: number;
  /** From the start of the process to the first 200 of `/health/ready`. */
  readonly readyAfterMs: number;
  stop(): Promise<void>;
}

/** Starts the program, which says on which URLs it serves, and waits until it is ready. */
export async function startServer(
  scope: AsyncDisposableStack,
  program: string,
  environment: Readonly<Record<string, string>>,
): Promise<Server> {
  const began = now();
  const child = spawn(process.execPath, [program], {
    env: {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      PORT: '0',
      WS_PORT: '0',
      FLUKEDEPLOY_ADMIN_PASSWORD: PASSWORD,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exit = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exit;
  };
  scope.defer(stop);
  let [url, streamUrl, output] = ['', '', ''];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      output = `${output}${line}\n`.slice(-5_000);
      url = /API on (http:\S+)/.exec(line)?.[1] ?? url;
      streamUrl = /Log stream on (ws:\S+)/.exec(line)?.[1] ?? streamUrl;
    });
  }
  await until(
    async () => {
      if (child.exitCode !== null) throw new Error(`${program} ended:\n${output}`);
      return url !== '' && (await fetch(`${url}/health/ready`).catch(() => undefined))?.ok;
    },
    'the server is ready',
    60_000,
  );
  return { url, streamUrl, pid: child.pid ?? 0, readyAfterMs: now() - began, stop };
}

/** Token of an administrator's session. */
export async function logIn({ url }: Server): Promise<string> {
  const response = await fetch(`${url}/api/v1/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ password: PASSWORD }),
  });
  const { token } = (await response.json()) as { token?: string };
  if (token === undefined) throw new Error(`the log-in was refused: ${response.status}`);
  return token;
}
