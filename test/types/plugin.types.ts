/** What the compiler must refuse of plugins, and what it must know: checked by tsc, run by nobody. */
import { definePlugin, z, type PluginDefinition } from '../../src/plugin/index.js';

const log = (_: unknown): void => undefined;

class SizeOptions {
  limit_mb = 100;
}

const right = definePlugin({
  name: 'right',
  apiVersion: 1,
  options: z.strictObject({ limit_mb: z.number().default(100) }),
  hooks: {
    pre_build: ({ options, workspace }) => {
      options.limit_mb.toFixed();
      workspace.folder.trim();
    },
    pre_deploy: {
      run: async ({ options, run }) => {
        await run(['true', String(options.limit_mb)]);
      },
      onFailure: 'warn',
    },
    post_deploy: async ({ fetch, fail }) =>
      (await fetch('/')).status === 200 ? undefined : fail('down', 'It is down.'),
  },
});
right satisfies PluginDefinition<{ limit_mb: number }>;

definePlugin({
  name: 'from-a-class',
  apiVersion: 1,
  options: SizeOptions,
  hooks: {
    pre_build: ({ options }) => {
      options.limit_mb.toFixed();
    },
  },
});

definePlugin({
  name: 'from-a-function',
  apiVersion: 1,
  options: ({ path }) => ({ path: typeof path === 'string' ? path : '/' }),
  hooks: {
    post_deploy: async ({ options, fetch }) => {
      await fetch(options.path);
    },
  },
});

definePlugin({
  name: 'without-options',
  apiVersion: 1,
  hooks: { pre_build: ({ log }) => log('info', 'nothing to do') },
});

// @ts-expect-error there is no such hook
definePlugin({ name: 'a', apiVersion: 1, hooks: { post_build: () => undefined } });
// @ts-expect-error written for another API
definePlugin({ name: 'b', apiVersion: 2, hooks: {} });
// @ts-expect-error a hook answers nothing
definePlugin({ name: 'c', apiVersion: 1, hooks: { pre_build: () => 1 } });
// @ts-expect-error nor a promise of something
definePlugin({ name: 'd', apiVersion: 1, hooks: { pre_build: async () => 'done' } });
// @ts-expect-error there is no image yet
definePlugin({ name: 'e', apiVersion: 1, hooks: { pre_build: ({ image }) => log(image) } });
// @ts-expect-error before any request reaches it, the new version cannot be asked
definePlugin({ name: 'f', apiVersion: 1, hooks: { pre_deploy: ({ fetch }) => log(fetch) } });
// @ts-expect-error the source is gone by now
definePlugin({ name: 'g', apiVersion: 1, hooks: { post_deploy: ({ workspace }) => log(workspace) } });
// @ts-expect-error a hook is needed to say what a plugin does
definePlugin({ name: 'h', apiVersion: 1 });
definePlugin({
  name: 'i',
  apiVersion: 1,
  options: z.strictObject({ limit_mb: z.number() }),
  hooks: {
    // @ts-expect-error the options have no such field
    pre_build: ({ options }) => log(options.limit_kb),
  },
});
definePlugin({
  name: 'j',
  apiVersion: 1,
  hooks: {
    pre_build: ({ deployment }) => {
      // @ts-expect-error the deployment is only to be looked at
      deployment.replicas = 7;
    },
  },
});
// @ts-expect-error a failure is fatal or a warning
definePlugin({ name: 'k', apiVersion: 1, hooks: { pre_build: { run: () => undefined, onFailure: 'ignore' } } });
