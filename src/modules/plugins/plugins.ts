/** The plugins of this server: which there are, in which order they run, and which are on for every app. */
import type { DeploySpec } from '../../domain/app-spec.js';
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import type { PluginUse } from '../../domain/hooks.js';
import { LIMITS } from '../../domain/limits.js';
import type { Plugin } from '../../domain/plugin.js';
import { orderPlugins } from '../../domain/plugin-order.js';
import type { ServerPlugins } from './server-plugins.js';

export class Plugins {
  readonly #byName: ReadonlyMap<string, Plugin>;

  /** In the order in which their hooks run. */
  readonly all: readonly Plugin[];

  /** @throws DeployError `plugin_invalid` where they do not fit together */
  constructor(
    plugins: readonly Plugin[],
    readonly server: ServerPlugins,
  ) {
    this.all = orderPlugins(plugins);
    this.#byName = new Map(this.all.map((plugin) => [plugin.name, plugin]));
  }

  /** @throws Error that names every mistake in the uses of the server's own configuration */
  async checkServer(): Promise<void> {
    const { uses } = this.server;
    const checks = await Promise.allSettled(uses.map((_, index) => this.#checkOne(uses, index)));
    const mistakes = checks.flatMap((check) => (check.status === 'rejected' ? [messageOf(check.reason)] : []));
    if (mistakes.length > 0) throw new Error(`FLUKEDEPLOY_PLUGIN_CONFIG has mistakes:\n  ${mistakes.join('\n  ')}`);
  }

  /** The order with what the server has switched on: kept with it, so that a rollback meets the same gates. */
  withServerUses(spec: DeploySpec): DeploySpec {
    const uses = this.server.uses.map(({ locked: _, ...use }) => use);
    return uses.length > 0 ? { ...spec, server_plugins: uses } : spec;
  }

  find(name: string): Plugin | undefined {
    return this.#byName.get(name);
  }

  /**
   * Whether these can be switched on for an app or a deployment.
   * @throws DeployError `plugin_unknown`, `plugin_options_invalid`, `plugin_locked`, naming the field
   */
  async check(uses: readonly PluginUse[]): Promise<void> {
    for (const [index, { name }] of uses.entries()) {
      if (this.server.uses.some((use) => use.locked && use.name === name))
        throw refusal('plugin_locked', `plugins.${index}.name`, `the server has locked ${name}`);
    }
    for (const index of uses.keys()) await this.#checkOne(uses, index);
  }

  async #checkOne(uses: readonly PluginUse[], index: number): Promise<void> {
    const { name = '', options = {} } = uses[index] ?? {};
    const path = `plugins.${index}`;
    const plugin = this.find(name);
    if (plugin === undefined) throw refusal('plugin_unknown', `${path}.name`, `no plugin is named ${name}`);
    if (uses.findIndex((use) => use.name === name) < index)
      throw refusal('plugin_options_invalid', `${path}.name`, `${name} is named twice`);
    if (JSON.stringify(options).length > LIMITS.plugin_options_bytes)
      throw refusal(
        'plugin_options_invalid',
        `${path}.options`,
        `must be at most ${LIMITS.plugin_options_bytes} bytes`,
      );
    await plugin.checkOptions(options).catch((error: unknown) => {
      throw at(`${path}.options`, name, error);
    });
  }
}

/** The same error with its paths as they are in the request. */
function at(path: string, name: string, error: unknown): unknown {
  if (!(error instanceof DeployError)) return error;
  const found = error.fields ?? [{ path: '', message: error.message }];
  const fields = found.map((field) => ({ ...field, path: field.path ? `${path}.${field.path}` : path }));
  const detail = fields.map((field) => `${field.path}: ${field.message}`).join('; ');
  return new DeployError(error.code, `${name}: ${detail}`, { fields, cause: error });
}

function refusal(code: ErrorCode, path: string, message: string): DeployError {
  return new DeployError(code, `${path}: ${message}`, { fields: [{ path, message }] });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
