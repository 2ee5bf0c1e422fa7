/** docs/plugins.md to the letter: its commands, in their order, in an empty folder and without a network. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const project = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

interface Step {
  /** Whether the guide says that it fails. */
  readonly fails: boolean;
  readonly commands: string;
}

/** The blocks behind `<!-- run -->` and `<!-- run: fails -->`. */
async function stepsOfGuide(): Promise<Step[]> {
  const guide = await readFile(project('docs/plugins.md'), 'utf8');
  const blocks = guide.matchAll(/^<!-- run(?<fails>: fails)? -->\n```sh\n(?<commands>.*?)^```$/gms);
  return [...blocks].map(({ groups }) => ({
    fails: groups?.['fails'] !== undefined,
    commands: groups?.['commands'] ?? '',
  }));
}

interface Outcome {
  readonly code: number;
  readonly output: string;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-guide-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Each step goes on in the shell where the one before ended: its folder and its variables. */
function runSteps(steps: readonly Step[]): Promise<Outcome> {
  const lines = steps.map(({ fails, commands }) => (fails ? `if ${commands.trim()}; then exit 99; fi` : commands));
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    FLUKEDEPLOY: project('').replace(/\/$/, ''),
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
  return new Promise((resolve) => {
    execFile('bash', ['-euo', 'pipefail', '-c', lines.join('\n')], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
    });
  });
}

describe('the guide to plugins', () => {
  it('leads from an empty folder to a package: tests pass, fail where it says so, and pass again', async () => {
    const steps = await stepsOfGuide();
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
});
