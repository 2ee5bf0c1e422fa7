/** docs/plugins.md to the letter: its commands, in their order, in an empty folder and without a network. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SwarmState } from '../support/swarm-state.js';

const project = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Step {
  /** Whether the guide says that it fails. */
  readonly fails: boolean;
  readonly commands: string;
}

/** The blocks behind `<!-- kind -->` and `<!-- kind: fails -->`. */
async function stepsOfGuide(kind: 'run' | 'server' | 'client'): Promise<Step[]> {
  const guide = await readFile(project('docs/plugins.md'), 'utf8');
  const block = new RegExp(`^<!-- ${kind}(?<fails>: fails)? -->\\n\`\`\`sh\\n(?<commands>.*?)^\`\`\`$`, 'gms');
  return [...guide.matchAll(block)].map(({ groups }) => ({
    fails: groups?.['fails'] !== undefined,
    commands: groups?.['commands'] ?? '',
  }));
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

let folder: string;
let server: ChildProcess | undefined;
const app = `fdguide-${randomBytes(4).toString('hex')}`;
const swarm = new SwarmState(app);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-guide-'));
  // The private PostgreSQL runs as another user, who must be able to pass.
  await chmod(folder, 0o711);
});
afterAll(async () => {
  if (server?.pid !== undefined && server.exitCode === null) {
    const exit = once(server, 'exit');
    process.kill(-server.pid, 'SIGTERM');
    await exit;
  }
  await swarm.clean();
  await rm(folder, { recursive: true, force: true });
});

/** What the guide's reader has set: nothing but where the checkout is. */
const environment = () => ({
  PATH: process.env['PATH'],
  HOME: folder,
  FLUKEDEPLOY: project('').replace(/\/$/, ''),
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
});

/** On ports and in a data folder of its own. Answers where it listens. */
async function startServer(commands: string): Promise<string> {
  const own = { HOST: '127.0.0.1', PORT: '0', WS_PORT: '0', HTTP_PORT: '0', DATA_DIR: join(folder, 'data') };
  const options = { cwd: join(folder, 'licence-check'), env: { ...environment(), ...own }, detached: true } as const;
  const child = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
    ...options,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  server = child;
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /API on (http:\S+)/.exec(line)?.[1];
    child.stdout.resume();
    if (url !== undefined) return url;
  }
  throw new Error('the server did not start');
}

/** Each step goes on in the shell where the one before ended: its folder and its variables. */
function runSteps(steps: readonly Step[], cwd = folder): Promise<Outcome> {
  const lines = steps.map(({ fails, commands }) => (fails ? `if ${commands.trim()}; then exit 99; fi` : commands));
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['-euo', 'pipefail', '-c', lines.join('\n')],
      { cwd, env: environment() },
      (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
      },
    );
  });
}

describe('the guide to plugins', () => {
  it('leads from an empty folder to a package: tests pass, fail where it says so, and pass again', async () => {
    const steps = await stepsOfGuide('run');
    expect(steps.map(({ fails }) => fails)).toEqual([false, false, true, false, false]);
    const { code, output } = await runSteps(steps);
    expect({ code, output }).toMatchObject({ code: 0 });
    expect([...output.matchAll(/^ℹ (?:pass|fail) \d+$/gm)].map(([line]) => line.slice(2))).toEqual([
      'pass 5',
      'fail 0',
      'pass 1',
      'fail 2',
      'pass 3',
      'fail 0',
    ]);
    expect(output).toContain('flukedeploy-plugin-licence-check-0.1.0.tgz');
    const built = await readFile(join(folder, 'licence-check/dist/plugin.js'), 'utf8');
    expect(built).toContain("from 'flukedeploy/plugin'");
  });

  it('leads on to a deployment that the plugin stops, and to one that it lets pass', async () => {
    const [start] = await stepsOfGuide('server');
    const url = await startServer(start?.commands ?? '');
    const steps = await stepsOfGuide('client');
    expect(steps.map(({ fails }) => fails)).toEqual([false, true, false]);
    // The reader's server listens elsewhere, and no other app of the machine has the example's name.
    const here = steps.map(({ fails, commands }) => ({
      fails,
      commands: commands
        .replaceAll('http://localhost:3000', url)
        .replaceAll('"$FLUKEDEPLOY/data/', `"${folder}/data/`)
        .replaceAll('--app hello', `--app ${app}`),
    }));
    const { code, output } = await runSteps(here, join(folder, 'licence-check'));
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toMatch(/licence-check +1?\S* +external/);
    expect(output).toContain('The source has no LICENSE.');
    expect(output).toContain('LICENSE is there');
    expect(output).toContain(`${app} v`);
    expect(await swarm.service()).toMatchObject({ running: 1 });
  });
});
