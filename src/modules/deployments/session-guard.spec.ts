/** How long a phase is left to work. Hours pass by a clock that the test moves on, so nothing here waits. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DEFAULT_CONFIG, DEFAULT_HEALTH_CHECK, type AppConfig } from '../../domain/app-spec.js';
import { fold } from '../../domain/deployment.js';
import type { Hook } from '../../domain/hooks.js';
import type { Claim } from '../../domain/ports.js';
import { inProcessPlugin } from '../../plugin/in-process-plugin.js';
import { definePlugin } from '../../plugin/index.js';
import { at, begin, identity, request, start } from '../../../test/support/deployment-fixtures.js';
import type { Logbook } from '../logs/index.js';
import { DeploymentSession } from './deployment-session.js';
import { guardSession } from './session-guard.js';

const nothing = { run: () => undefined };
const PLUGINS = [
  definePlugin({ name: 'source-rules', apiVersion: 1, hooks: { pre_build: { ...nothing, timeoutSeconds: 1_200 } } }),
  definePlugin({ name: 'migration', apiVersion: 1, hooks: { pre_deploy: { ...nothing, timeoutSeconds: 3_600 } } }),
  definePlugin({ name: 'watch', apiVersion: 1, hooks: { post_deploy: { ...nothing, timeoutSeconds: 600 } } }),
].map((definition) => inProcessPlugin(definition, { version: '1.0.0', origin: 'external' }));

let end: () => void;
beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  end();
  jest.useRealTimers();
});

/** Of a phase that a worker has just begun, with a store that keeps its lease. Nothing is written. */
function guarded(
  phase: Hook,
  uses: readonly string[],
  { config = {}, left_ms = Infinity }: { readonly config?: Partial<AppConfig>; readonly left_ms?: number } = {},
): DeploymentSession {
  const spec = {
    source: { kind: 'dockerfile', dockerfile: 'FROM scratch' },
    config: {},
    validation_level: 'basic',
    auto_rollback: true,
    on_conflict: 'queue',
    plugins: uses.map((name) => ({ name })),
  } as const;
  const record = { id: identity.id, state: fold([request, start(), begin(phase)]), spec, fence: 1, created_at: at };
  const claim: Claim = { record, config: { ...DEFAULT_CONFIG, ...config }, phase, attempt: 1, fence: 1, left_ms };
  const session = new DeploymentSession(claim, {}, {}, [], {} as Logbook);
  end = guardSession(session, { heartbeat: async () => 'held' }, PLUGINS, 60_000, performance.now());
  return session;
}

const pass = (seconds: number) => jest.advanceTimersByTimeAsync(seconds * 1_000);

describe('a phase', () => {
  it.each([
    ['pre_build', 'source-rules', 300 + 1_200],
    ['pre_deploy', 'migration', 1_800 + 3_600],
    ['post_deploy', 'watch', 600 + 600],
  ] as const)('%s lets its hook %s have all its time, and ends nevertheless', async (phase, name, seconds) => {
    const { signal } = guarded(phase, [name]);
    await pass(seconds);
    expect(signal.aborted).toBe(false);
    await pass(1);
    expect(signal.reason).toMatchObject({
      code: 'phase_timeout',
      message: `${phase} took longer than the ${seconds} s that it may.`,
    });
  });

  it('lets the new version be watched, and then its hook', async () => {
    const health_check = { ...DEFAULT_HEALTH_CHECK, bake_ms: 120_000 };
    const { signal } = guarded('post_deploy', ['watch'], { config: { health_check } });
    await pass(600 + 120 + 600);
    expect(signal.aborted).toBe(false);
    await pass(1);
    expect(signal.reason).toMatchObject({ code: 'phase_timeout' });
  });

  it('has no more than its own time where no plugin is on that has a hook there', async () => {
    const { signal } = guarded('pre_build', ['migration']);
    await pass(301);
    expect(signal.reason).toMatchObject({ code: 'phase_timeout' });
  });

  it("ends with the deployment's time, whatever its hook was promised", async () => {
    const { signal } = guarded('pre_deploy', ['migration'], { left_ms: 900_000 });
    await pass(901);
    expect(signal.reason).toMatchObject({ code: 'deployment_timeout' });
  });
});
