/** Runs the pre_build hooks of plugins as a phase does, without a deployment around them. */
import { DEFAULT_CONFIG, type DeploySpec } from '../../src/domain/app-spec.js';
import type { DeploymentKind, Fact } from '../../src/domain/deployment.js';
import type { HookResult, PluginUse } from '../../src/domain/hooks.js';
import type { LogDraft } from '../../src/domain/log-entry.js';
import type { Plugin, PreBuildContext } from '../../src/domain/plugin.js';
import { HookRunner } from '../../src/modules/deployments/hooks/hook-runner.js';
import type { HookSession } from '../../src/modules/deployments/hooks/hook-session.js';
import { NO_SERVER_PLUGINS, Plugins } from '../../src/modules/plugins/index.js';
import { inProcessPlugin } from '../../src/plugin/in-process-plugin.js';
import { definePlugin, type PluginDefinition } from '../../src/plugin/index.js';
import { at, identity } from './deployment-fixtures.js';

export const WORKSPACE = { workspace: { folder: '/source', dockerfile: 'Dockerfile' } };

export interface Course {
  readonly runner: HookRunner;
  readonly session: HookSession;
  readonly drafts: LogDraft[];
  readonly results: HookResult[];
  readonly stop: (reason: unknown) => void;
  readonly end: Promise<boolean>;
}

type Definition = PluginDefinition<never>;

/** What a plugin does in pre_build, under its name. */
export const plugin = (name: string, run: (context: PreBuildContext) => unknown, more: object = {}) =>
  definePlugin({
    name,
    apiVersion: 1,
    hooks: {
      pre_build: {
        run: async (context: PreBuildContext) => {
          await run(context);
        },
        ...more,
      },
    },
  });

export async function course(
  definitions: readonly unknown[],
  spec: Partial<DeploySpec> = {},
  {
    server = {},
    origin = 'external',
    kind = 'deploy',
  }: { server?: Record<string, string>; origin?: Plugin['origin']; kind?: DeploymentKind } = {},
): Promise<Course> {
  const plugins = new Plugins(
    definitions.map((definition) => inProcessPlugin(definition as Definition, { version: '1.0.0', origin })),
    { ...NO_SERVER_PLUGINS, secrets: server },
  );
  const abort = new AbortController();
  const drafts: LogDraft[] = [];
  const results: HookResult[] = [];
  const uses: PluginUse[] = plugins.all.map(({ name }) => ({ name }));
  const session: HookSession = {
    record: {
      spec: {
        source: { kind: 'dockerfile', dockerfile: 'FROM scratch' },
        config: {},
        validation_level: 'basic',
        auto_rollback: true,
        on_conflict: 'queue',
        plugins: uses,
        ...spec,
      },
    },
    state: { identity: { ...identity, kind } },
    config: { ...DEFAULT_CONFIG, env: { API_KEY: 'sealed' } },
    env: { API_KEY: 'clear' },
    secrets: {},
    phase: 'pre_build',
    attempt: 1,
    begun: 1,
    signal: abort.signal,
    place: () => ({ at, phase: 'pre_build', attempt: 1 }),
    emit: (draft) => void drafts.push(draft),
    bounded: (text, length) => text.slice(0, length),
    note: (fact: Fact) => {
      if (fact.type === 'hook_ended') results.push(fact.result);
    },
    output: () => undefined,
  };
  const runner = new HookRunner(plugins);
  const end = runner.run(session, 'pre_build', () => WORKSPACE);
  end.catch(() => undefined);
  return { runner, session, drafts, results, stop: (reason) => abort.abort(reason), end };
}
