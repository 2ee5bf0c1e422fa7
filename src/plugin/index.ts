/** `flukedeploy/plugin`: what plugins are written with. Everything here is public: the API report in docs/reference watches it. */
export { z } from 'zod';
export { definePlugin } from './define-plugin.js';
export type { HookDefinition, HookDefinitions, HookHandler, OptionsForm, PluginDefinition } from './define-plugin.js';
export type {
  FetchOptions,
  FetchResult,
  Finding,
  Hook,
  HookContext,
  HookContexts,
  Json,
  JsonObject,
  OnFailure,
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
