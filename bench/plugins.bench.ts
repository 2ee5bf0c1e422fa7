/** What ten hooks that do nothing add to a deployment: of plugins in the worker itself, and of others in their own processes. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { PhaseOutputs } from '../src/domain/deployment.js';
import type { PreDeployContext } from '../src/domain/plugin.js';
import type { DeploymentSession } from '../src/modules/deployments/deployment-session.js';
import type { HookRunner } from '../src/modules/deployments/hooks/hook-runner.js';
import { comparison, now, quantile, type Benchmark } from './support/benchmark.ts';
import { inProcessPlugin, PhaseHandler } from './support/built.ts';
import { deploymentRunner } from './support/deployment-runner.ts';
import { startStores } from './support/stores.ts';

const HOOKS = 10;
const DEPLOYMENTS = 20;
const numbers = Array.from({ length: HOOKS }, (_, index) => index);
const bareNode = promisify(execFile);

/** Nothing but hooks, as the phase of the program runs them. */
class OnlyHooks extends PhaseHandler {
  readonly phase = 'pre_deploy';
  readonly #hooks: HookRunner;

  constructor(hooks: HookRunner) {
    super();
    this.#hooks = hooks;
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const image = { reference: 'none', digest: 'none', size_bytes: 0 };
    const run: PreDeployContext['run'] = () => Promise.reject(new Error('there is no image'));
    await this.#hooks.run(session, this.phase, () => ({ image, run }));
    return {};
  }
}

export const plugins: Benchmark = async (scope, { quick, rounds }) => {
  const stores = await startStores(scope);
  const folders = await Promise.all(
    numbers.map((number) => writePlugin(join(stores.root, `plugin-${number}`), number)),
  );
  const here = numbers.map((number) =>
    inProcessPlugin(
      { name: `here-${number}`, apiVersion: 1, hooks: { pre_deploy: () => undefined } },
      { version: '1.0.0', origin: 'built-in' },
    ),
  );
  const run = await deploymentRunner(scope, stores, 1, {
    plugins: here,
    variables: { FLUKEDEPLOY_PLUGINS: folders.join() },
    working: (hooks) => [new OnlyHooks(hooks)],
  });
  let made = 0;
  const deployment = (kind?: 'here' | 'elsewhere') => () =>
    run(`app-${made++}`, kind && { plugins: numbers.map((number) => ({ name: `${kind}-${number}` })) });
  const processes = async (): Promise<void> => {
    for (const _ of numbers) await bareNode(process.execPath, ['-e', '0']);
  };

  const series = { without: deployment(), here: deployment('here'), elsewhere: deployment('elsewhere'), processes };
  const medians: Record<keyof typeof series, number[]> = { without: [], here: [], elsewhere: [], processes: [] };
  for (const work of Object.values(series)) await work();
  for (let round = 0; round < rounds; round++) {
    for (const [name, work] of Object.entries(series) as [keyof typeof series, () => Promise<void>][]) {
      const durations: number[] = [];
      for (let left = quick ? 2 : DEPLOYMENTS; left > 0; left--) {
        const began = now();
        await work();
        durations.push(now() - began);
      }
      medians[name].push(quantile(durations, 0.5));
    }
  }
  const { without, here: inside, elsewhere } = medians;
  return [
    comparison('A deployment whose phases do nothing else', 'the same without hooks', [
      { what: 'ten hooks in the worker', unit: 'ms', ours: inside, raw: without },
      { what: 'ten hooks in processes of their own', unit: 'ms', ours: elsewhere, raw: without },
    ]),
    comparison('Ten processes', 'ten times `node -e 0`', [
      { what: 'ten hooks in processes of their own', unit: 'ms', ours: elsewhere, raw: medians.processes },
    ]),
  ];
};

async function writePlugin(folder: string, number: number): Promise<string> {
  await mkdir(folder);
  const definition = `{ name: 'elsewhere-${number}', apiVersion: 1, hooks: { pre_deploy: () => undefined } }`;
  await writeFile(
    join(folder, 'plugin.js'),
    `import { definePlugin } from 'flukedeploy/plugin';\nexport default definePlugin(${definition});\n`,
  );
  return folder;
}
