/** What the context of a hook can be made of, hook by hook. */
import type { JsonObject, PluginDeployment, PluginImage, PluginService, PluginWorkspace } from '../../domain/plugin.js';
import type { ConnectAnswers, FetchAnswers, RunAnswers } from './answers.js';

/** What the context of every hook can be made of; each part has a plain default. */
export interface CommonParts<Options = JsonObject> {
  /** Fields of the deployment that matter to the test. */
  readonly deployment?: Partial<PluginDeployment>;
  /** As they are configured: `runHook` lets the plugin read them, just as the server does. */
  readonly options?: Options;
  /** 1 when left out. */
  readonly attempt?: number;
  /** What hooks before this one have left, by plugin and name. */
  readonly outputs?: Readonly<Record<string, JsonObject>>;
  /** Values of secrets by name. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Of a deployment that the test wants to cancel. */
  readonly signal?: AbortSignal;
}

/** What the context of `pre_build` can be made of. */
export interface PreBuildParts<Options = JsonObject> extends CommonParts<Options> {
  /** Such as what `sourceFolder` makes. */
  readonly workspace?: PluginWorkspace;
}

/** What the context of `pre_deploy` can be made of. */
export interface PreDeployParts<Options = JsonObject> extends CommonParts<Options> {
  /** Fields of the image that matter to the test. */
  readonly image?: Partial<PluginImage>;
  /** What commands come to. */
  readonly run?: RunAnswers;
}

/** What the context of `post_deploy` can be made of. */
export interface PostDeployParts<Options = JsonObject> extends PreDeployParts<Options> {
  /** Fields of the service that matter to the test. */
  readonly service?: Partial<PluginService>;
  /** What the new version answers. */
  readonly fetch?: FetchAnswers;
  /** Which of its ports accept connections. */
  readonly connect?: ConnectAnswers;
}

/** What the context of each hook can be made of. */
export interface ContextParts<Options = JsonObject> {
  readonly pre_build: PreBuildParts<Options>;
  readonly pre_deploy: PreDeployParts<Options>;
  readonly post_deploy: PostDeployParts<Options>;
}
