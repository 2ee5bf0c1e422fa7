/** What the compiler must refuse of tests of plugins, and what it must know: checked by tsc, run by nobody. */
import { definePlugin, z, type PostDeployContext } from '../../src/plugin/index.js';
import { fakeContext, runHook } from '../../src/plugin/testing.js';

const plugin = definePlugin({
  name: 'tested',
  apiVersion: 1,
  options: z.strictObject({ path: z.string().default('/') }),
  hooks: { pre_build: () => undefined, post_deploy: () => undefined },
});

void runHook(plugin, 'pre_build', { source: { Dockerfile: 'FROM scratch' }, options: { path: '/health' } });
void runHook(plugin, 'post_deploy', fakeContext('post_deploy', { fetch: { '/': { status: 404 } } }));
void runHook(plugin, 'post_deploy', { fetch: (path, { slot }) => ({ body: `${path} of ${slot}` }) });
fakeContext('post_deploy', { options: { path: '/' } }) satisfies PostDeployContext<{ path: string }>;

// @ts-expect-error there is no such hook
void runHook(plugin, 'post_build');
// @ts-expect-error nothing can be asked before the build
fakeContext('pre_build', { fetch: { '/': 200 } });
// @ts-expect-error the source is gone by now
void runHook(plugin, 'post_deploy', { source: { Dockerfile: 'FROM scratch' } });
// @ts-expect-error the context of another hook
void runHook(plugin, 'post_deploy', fakeContext('pre_build'));
// @ts-expect-error a port accepts or does not
fakeContext('post_deploy', { connect: { 5432: 'yes' } });
// @ts-expect-error options are JSON, as they are configured
void runHook(plugin, 'pre_build', { options: { path: () => '/' } });
