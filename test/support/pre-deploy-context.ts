/** What a pre_deploy hook sees, and all that it says. */
import type { Finding, Json, PreDeployContext, PluginDeployment } from '../../src/plugin/index.js';

export class HookFailed extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly evidence: readonly string[] = [],
  ) {
    super(message);
  }
}

export interface Heard<Options> {
  readonly context: PreDeployContext<Options>;
  readonly findings: Finding[];
  readonly lines: string[];
  readonly outputs: Record<string, Json>;
}

export const DEPLOYMENT: PluginDeployment = {
  id: 'dep-01jd0000000000000000000000',
  kind: 'deploy',
  app_name: 'web',
  environment: 'production',
  project: 'default',
  version: '1.0.0',
  release: 2,
  source: 'Dockerfile text',
  actor: { name: 'operator' },
  validation_level: 'basic',
  replicas: 1,
  port: 80,
  domains: [],
  command: [],
  env: [],
  secrets: [],
  ports: [],
  volumes: [],
  resources: {},
  strategy: 'rolling',
  has_health_check: false,
};

export function preDeploy<Options>(
  reference: string,
  options: Options,
  deployment: Partial<PluginDeployment> = {},
  signal: AbortSignal = new AbortController().signal,
): Heard<Options> {
  const findings: Finding[] = [];
  const lines: string[] = [];
  const outputs: Record<string, Json> = {};
  const unused = () => Promise.reject(new Error('the hook has no use for this'));
  const context: PreDeployContext<Options> = {
    deployment: { ...DEPLOYMENT, ...deployment },
    phase: 'pre_deploy',
    attempt: 1,
    options,
    signal,
    outputs: {},
    image: { reference, digest: reference, size_bytes: 1 },
    log: (level, message) => void lines.push(`${level}: ${message}`),
    probed: () => undefined,
    report: (finding) => void findings.push(finding),
    fail: (code, message, evidence) => {
      throw new HookFailed(code, message, evidence);
    },
    output: (name, value) => {
      outputs[name] = value;
    },
    secret: unused,
    run: unused,
  };
  return { context, findings, lines, outputs };
}
