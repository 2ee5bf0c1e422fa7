/** `flukedeploy/plugin`: what plugins are written with. Everything here is public: the API report in docs/reference watches it. */
export { z } from 'zod';
export { definePlugin } from './define-plugin.js';
export type { HookDefinition, HookDefinitions, HookHandler, OptionsForm, PluginDefinition } from './define-plugin.js';
export type { DEPLOYMENT_KINDS, DeploymentKind } from '../domain/facts.js';
export type { LOG_LEVELS, LogLevel } from '../domain/log-entry.js';
export type {
  FetchOptions,
  FetchResult,
  Finding,
  Hook,
  HOOKS,
  HookContext,
  HookContexts,
  Json,
  JsonObject,
  ON_FAILURE,
  OnFailure,
  PLUGIN_API_VERSION,
  PluginDeployment,
  PluginImage,
  PluginService,
  PluginWorkspace,
  PostDeployContext,
  PreBuildContext,
  PreDeployContext,
  ProbeReport,
  RunOptions,
  RunResult,
  Severity,
} from '../domain/plugin.js';
