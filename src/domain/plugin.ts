/**
 * The plugin API: what a plugin is, what its hooks see and what they may do. Types and tables only; `src/plugin` publishes them
 * as `flukedeploy/plugin`.
 */
import type { PortMapping, Resources, ValidationLevel, VolumeMount } from './app-spec.js';
import type { DeploymentKind } from './facts.js';
import type { LogLevel } from './log-entry.js';
import type { Finding, Hook, HookRule, JsonObject, Json } from './hooks.js';
import type { StrategyType } from './strategy.js';

export * from './hooks.js';

/** Version of this API that a plugin is written for; a server refuses plugins of another one at its start. */
export const PLUGIN_API_VERSION = 1;

/** Names of plugins: as those of apps, so that requests can name them. */
export const PLUGIN_NAME = /^(?=.{1,50}$)(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;

/** The deployment as plugins see it: frozen, without any secret value. Fields are named as on the wire. */
export interface PluginDeployment {
  readonly id: string;
  readonly kind: DeploymentKind;
  readonly app_name: string;
  readonly environment: string;
  readonly project: string;
  readonly version: string;
  /** Number of the release that it becomes when it succeeds. */
  readonly release: number;
  /** What is deployed, in words, such as `https://…/app.git#main@4c83276`. */
  readonly source: string;
  readonly actor: { readonly name: string; readonly agent?: string };
  readonly reason?: string;
  readonly rollback_of?: string;
  readonly validation_level: ValidationLevel;
  readonly replicas: number;
  /** The container's HTTP port; 0 = it serves none. */
  readonly port: number;
  readonly domains: readonly string[];
  readonly command: readonly string[];
  /** Names of the environment variables; `secret(name)` has their values. */
  readonly env: readonly string[];
  /** Names of the files under /run/secrets. */
  readonly secrets: readonly string[];
  readonly ports: readonly PortMapping[];
  readonly volumes: readonly VolumeMount[];
  readonly resources: Resources;
  readonly strategy: StrategyType;
  /** Whether the app itself is configured with a health check. */
  readonly has_health_check: boolean;
  /** What serves now; absent for a first deployment. */
  readonly before?: {
    /** Swarm services that answer its requests. */
    readonly services: readonly string[];
    readonly replicas: number;
    readonly release?: number;
    readonly version?: string;
    readonly image?: string;
    readonly image_digest?: string;
  };
}

/** The unpacked source: only to be read. */
export interface PluginWorkspace {
  /** Absolute path of the folder that is sent to Docker. */
  readonly folder: string;
  /** Path of the Dockerfile inside the folder. */
  readonly dockerfile: string;
}

export interface PluginImage {
  /** What Swarm is told to run. */
  readonly reference: string;
  /** `sha256:…` of the manifest, or of the image where no registry knows it. */
  readonly digest: string;
  readonly size_bytes: number;
}

/** The new version while it serves. */
export interface PluginService {
  readonly name: string;
  /** Where the app answers from outside; absent without an edge or a host name. */
  readonly url?: string;
  readonly tasks: readonly { readonly slot: number; readonly node: string; readonly address?: string }[];
}

export interface RunOptions {
  /** Environment variables beside those of the app. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds; the hook's own deadline counts besides. */
  readonly timeoutSeconds?: number;
}

export interface RunResult {
  readonly exitCode: number;
  /** The last lines that it printed; all of them are in the log. */
  readonly lastLines: readonly string[];
  readonly durationMs: number;
}

export interface FetchOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds, 10,000 when left out. */
  readonly timeoutMs?: number;
  /** Which replica is asked, by its slot; the first that answers otherwise. */
  readonly slot?: number;
}

export interface FetchResult {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** At most 1 MB of it, as UTF-8. */
  readonly body: string;
  readonly durationMs: number;
}

/** One probe, as an entry of the log. */
export interface ProbeReport {
  /** What was asked, such as `http://10.0.1.5:80/health`. */
  readonly target: string;
  readonly healthy: boolean;
  readonly httpStatus?: number;
  readonly durationMs?: number;
  readonly reason?: string;
}

/** What every hook sees. Nothing else of FlukeDeploy is reachable. */
export interface HookContext<Options = unknown> {
  readonly deployment: PluginDeployment;
  /** Hooks are named by the phase in which they run. */
  readonly phase: Hook;
  /**
   * How often the phase has been begun, this time included: it is tried again after failures that may pass, and where a worker dies or
   * shuts down another one begins it anew. A hook must be safe to run again.
   */
  readonly attempt: number;
  readonly options: Options;
  /** Aborts when the deployment is cancelled, the hook's deadline passes, or the worker shuts down. */
  readonly signal: AbortSignal;
  /** Small values that hooks before this one have left, by plugin and name. */
  readonly outputs: Readonly<Record<string, JsonObject>>;
  readonly log: (level: LogLevel, message: string, details?: JsonObject) => void;
  /** Records a probe: a `health_check` entry of the log. */
  readonly probed: (probe: ProbeReport) => void;
  /** Records a finding; those that count fail the hook once it has ended. */
  readonly report: (finding: Finding) => void;
  /** Ends the hook as failed, at once. */
  readonly fail: (code: string, message: string, evidence?: readonly string[]) => never;
  /** Leaves a small value for later hooks and the API; all of a hook together at most 16 kB of JSON. */
  readonly output: (name: string, value: Json) => void;
  /**
   * A secret file or environment variable of the app. Where the server itself has switched the plugin on, a secret of its plugin
   * configuration goes before them; nobody else is told those. @throws where there is none
   */
  readonly secret: (name: string) => Promise<string>;
}

export interface PreBuildContext<Options = unknown> extends HookContext<Options> {
  readonly workspace: PluginWorkspace;
}

export interface PreDeployContext<Options = unknown> extends HookContext<Options> {
  readonly image: PluginImage;
  /**
   * Runs a command in a container of its own, made from the new image, with the environment, secrets and network of the app, before
   * any request reaches the new version. The same call (command and `env`) of the same deployment is run once: a
   * second one, or the next attempt after a worker's death, takes up what was started, or its result.
   */
  readonly run: (command: readonly string[], options?: RunOptions) => Promise<RunResult>;
}

export interface PostDeployContext<Options = unknown> extends HookContext<Options> {
  readonly image: PluginImage;
  readonly service: PluginService;
  readonly run: (command: readonly string[], options?: RunOptions) => Promise<RunResult>;
  /**
   * Asks the new version, and only it, from where the edge stands. Redirects are not followed.
   * @throws an error with the code `service_unreachable` when nothing answers
   */
  readonly fetch: (path: string, options?: FetchOptions) => Promise<FetchResult>;
  /** Whether a replica of the new version, that of the slot or the first that does, accepts TCP connections at the port. */
  readonly connect: (
    port: number,
    timeoutMs?: number,
    slot?: number,
  ) => Promise<{ readonly accepted: boolean; readonly durationMs: number; readonly reason?: string }>;
}

export interface HookContexts<Options = unknown> {
  readonly pre_build: PreBuildContext<Options>;
  readonly pre_deploy: PreDeployContext<Options>;
  readonly post_deploy: PostDeployContext<Options>;
}

/** A plugin as the pipeline sees it, wherever its code runs. */
export interface Plugin {
  readonly name: string;
  readonly version: string;
  readonly origin: 'built-in' | 'external';
  /** One sentence for people who choose. */
  readonly about: string;
  /** Names of plugins whose hooks run before its own, where both are on. */
  readonly after: readonly string[];
  readonly hooks: Readonly<Partial<Record<Hook, HookRule>>>;
  /** JSON Schema of its options; absent where the plugin does not tell. */
  readonly option_schema?: JsonObject;
  /** @throws DeployError `plugin_options_invalid`; its fields are paths inside the options */
  checkOptions(options: JsonObject): Promise<void>;
  /** `options` as they were configured: the plugin reads them itself. */
  run<H extends Hook>(hook: H, context: HookContexts<JsonObject>[H]): Promise<void>;
}

/** What `fail` throws: the hook has failed, with a code of the plugin's own. */
export class HookFailure extends Error {
  override readonly name = 'HookFailure';

  constructor(
    readonly code: string,
    message: string,
    readonly evidence: readonly string[] = [],
  ) {
    super(message);
  }
}
