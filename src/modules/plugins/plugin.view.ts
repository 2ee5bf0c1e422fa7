/** A plugin as the API shows it. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { HOOKS, ON_FAILURE, type Hook, type HookRule, type JsonObject, type OnFailure } from '../../domain/hooks.js';
import type { Plugin } from '../../domain/plugin.js';
import { GATE_MODES, isGate, VALIDATION_GATES, type GateMode } from '../../domain/validation-gates.js';
import type { ServerPlugins } from './server-plugins.js';

export class HookRuleView implements HookRule {
  timeout_seconds!: number;
  /** `fail` stops the phase, `warn` is recorded. */
  @ApiProperty({ enum: ON_FAILURE, enumName: 'OnFailure' })
  on_failure!: OnFailure;
}

export class PluginHooksView implements Partial<Record<Hook, HookRuleView>> {
  pre_build?: HookRuleView;
  pre_deploy?: HookRuleView;
  post_deploy?: HookRuleView;
}

/** What stops a deployment at each validation level. */
export class GateView {
  @ApiProperty({ enum: GATE_MODES, enumName: 'GateMode' }) none!: GateMode;
  @ApiProperty({ enum: GATE_MODES, enumName: 'GateMode' }) basic!: GateMode;
  @ApiProperty({ enum: GATE_MODES, enumName: 'GateMode' }) strict!: GateMode;
}

const ENABLED = ['by_level', 'server', 'on_request'] as const;

export class PluginView {
  name!: string;
  version!: string;
  @ApiProperty({ enum: ['built-in', 'external'], enumName: 'PluginOrigin' })
  origin!: Plugin['origin'];
  about!: string;
  /** What it does runs after the hooks of these. */
  @ApiProperty({ type: [String] })
  after!: readonly string[];
  hooks!: PluginHooksView;
  /** `by_level`: the validation level decides; `server`: on for every app; `on_request`: where an app or a deployment names it. */
  @ApiProperty({ enum: ENABLED, enumName: 'PluginEnabled' })
  enabled!: (typeof ENABLED)[number];
  levels?: GateView;
  /** JSON Schema of its options; absent where the plugin does not tell. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true })
  option_schema?: JsonObject;
}

export class PluginListView {
  /** In the order in which their hooks run. */
  plugins!: PluginView[];
}

export function pluginView(plugin: Plugin, server: ServerPlugins): PluginView {
  const { name, version, origin, about, after, option_schema } = plugin;
  const isOn = server.uses.some((use) => use.name === name);
  return {
    name,
    version,
    origin,
    about,
    after,
    hooks: Object.fromEntries(HOOKS.flatMap((hook) => (plugin.hooks[hook] ? [[hook, plugin.hooks[hook]]] : []))),
    enabled: isOn ? 'server' : isGate(name) ? 'by_level' : 'on_request',
    ...(isGate(name) && { levels: { ...VALIDATION_GATES[name].modes } }),
    ...(option_schema && { option_schema }),
  };
}
