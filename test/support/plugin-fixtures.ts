/** Plugins written by tests, and contexts that keep what a hook does with them. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hook, HookContexts, JsonObject, PluginDeployment } from '../../src/domain/plugin.js';

/** Writes the files, and answers the folder. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  return folder;
}

/** A plugin in one file whose one hook has the body; `context` is what it sees. */
export function pluginSource(body: string, hook: Hook = 'post_deploy'): string {
  return `
import { definePlugin } from 'flukedeploy/plugin';
export default definePlugin({ name: 'probe', apiVersion: 1, hooks: { ${hook}: async (context) => { ${body} } } });
`;
}

const DEPLOYMENT: PluginDeployment = {
  id: 'dep_1',
  kind: 'deploy',
  app_name: 'shop',
  environment: 'production',
  project: 'default',
  version: '1.2.3',
  release: 4,
  source: 'archive',
  actor: { name: 'ada' },
  validation_level: 'basic',
  replicas: 2,
  port: 80,
  domains: [],
  command: [],
  env: ['KEY'],
  secrets: [],
  ports: [],
  volumes: [],
  resources: {},
  strategy: 'rolling',
  has_health_check: false,
};

export interface Recorded {
  readonly context: HookContexts<JsonObject>['post_deploy'] & HookContexts<JsonObject>['pre_build'];
  /** What the hook called that needs no answer: `[method, …arguments]`. */
  readonly calls: readonly (readonly unknown[])[];
  /** Messages of the log alone. */
  messages(): readonly string[];
}

export interface ContextWishes {
  readonly options?: JsonObject;
  readonly signal?: AbortSignal;
  readonly folder?: string;
  readonly functions?: Partial<HookContexts<JsonObject>['post_deploy']>;
}

export function recordedContext({
  options = {},
  signal,
  folder = '/nowhere',
  functions,
}: ContextWishes = {}): Recorded {
  const calls: unknown[][] = [];
  const record =
    (method: string) =>
    (...args: unknown[]) =>
      void calls.push([method, ...args]);
  const unexpected = (method: string) => async (): Promise<never> => {
    throw new Error(`${method} was not expected`);
  };
  return {
    calls,
    messages: () => calls.filter(([method]) => method === 'log').map(([, , message]) => String(message)),
    context: {
      deployment: DEPLOYMENT,
      phase: 'post_deploy',
      attempt: 1,
      options,
      signal: signal ?? new AbortController().signal,
      outputs: { earlier: { size: 3 } },
      workspace: { folder, dockerfile: 'Dockerfile' },
      image: { reference: 'shop:4', digest: 'sha256:abc', size_bytes: 10 },
      service: { name: 'shop', tasks: [] },
      log: record('log'),
      probed: record('probed'),
      report: record('report'),
      output: record('output'),
      fail: () => {
        throw new Error('the plugin has a fail of its own');
      },
      secret: unexpected('secret'),
      run: unexpected('run'),
      fetch: unexpected('fetch'),
      connect: unexpected('connect'),
      ...functions,
    },
  };
}

/** Ids of the plugin processes that this process has started and that still run. */
export async function pluginProcesses(): Promise<readonly string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const ours = await Promise.all(
    ids.map(async (id) => {
      // One that ends between two looks has neither any more.
      const status = await readFile(`/proc/${id}/status`, 'utf8').catch(() => '');
      const command = await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '');
      return status.includes(`\nPPid:\t${process.pid}\n`) && command.includes('host.process.js');
    }),
  );
  return ids.filter((_, index) => ours[index]);
}
