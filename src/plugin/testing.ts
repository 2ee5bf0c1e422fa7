/**
 * `flukedeploy/plugin/testing`: tests of plugins without a server and without a cluster, in any test framework. Everything here is
 * public: the API report in docs/reference watches it.
 */
export { fakeContext } from './testing/fake-context.js';
export type { FakeContext } from './testing/fake-context.js';
export type {
  CommonParts,
  ContextParts,
  PostDeployParts,
  PreBuildParts,
  PreDeployParts,
} from './testing/context-parts.js';
export type { Answers, ConnectAnswers, ConnectResult, FetchAnswers, RunAnswers } from './testing/answers.js';
export type { LoggedLine, Recorded, RecordedFetch, RecordedRun } from './testing/recording.js';
export { runHook } from './testing/run-hook.js';
export type { HookParts, HookRun, HookRunFailure, RunHookOptions } from './testing/run-hook.js';
export { sourceFolder } from './testing/source-folder.js';
export type { SourceFiles, SourceFolder } from './testing/source-folder.js';
