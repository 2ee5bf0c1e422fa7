/** What speaks against a deployment: collected from refusals, from phases that cannot be gone through, and from plugins. */
import type { Issue } from '../../../domain/deploy-plan.js';
import { DeployError, ERRORS, errorRow, httpStatus, type ErrorCode } from '../../../domain/errors.js';
import type { Finding, HookResult } from '../../../domain/hooks.js';
import { LIMITS } from '../../../domain/limits.js';
import { failing } from '../../../domain/validation-gates.js';
import type { DueHook } from '../hooks/due-hooks.js';

/** The field behind what the cluster cannot do. */
const FIELDS: Partial<Record<ErrorCode, string>> = {
  strategy_unsupported: 'strategy',
  port_in_use: 'ports',
  ports_exceed_nodes: 'replicas',
  volume_invalid: 'volumes',
  capacity_insufficient: 'resources',
  unhealthy: 'health_check',
  architecture_mismatch: 'image',
  image_not_found: 'image',
  deployment_in_progress: 'on_conflict',
  name_taken: 'app_name',
};

export class Issues {
  readonly all: Issue[] = [];

  get stop(): boolean {
    return this.all.some(({ stops }) => stops);
  }

  /**
   * A deployment that was asked for like this would be refused, or would fail.
   * @throws the error itself where it says nothing of the wish: it is malformed, not allowed, or something that is needed is away
   */
  readonly refused = (error: unknown, path?: string): void => {
    if (!(error instanceof DeployError) || ![409, 422].includes(httpStatus(error.code))) throw error;
    const { code, message, fields = [], evidence = [] } = error;
    const common = { code, severity: 'error', stops: true, ...hintOf(code), ...evidenceOf(evidence) } as const;
    const place = path ?? FIELDS[code];
    if (fields.length === 0) this.add({ ...common, ...(place !== undefined && { path: place }), message });
    for (const field of fields) this.add({ ...common, ...field });
  };

  /** How the hook of a plugin ended. */
  readonly ended = ({ plugin, mode }: DueHook, result: HookResult, error: DeployError | undefined): void => {
    const hasFailed = result.outcome === 'failed';
    const findings = result.findings ?? [];
    for (const finding of findings) {
      const stops = hasFailed && failing([finding], mode).length > 0;
      this.add({ ...issueOf(finding), stops, plugin: plugin.name });
    }
    // An error that stands for the findings has been told with them.
    if (error === undefined || failing(findings, mode)[0]?.message === error.message) return;
    const { code, message, evidence = [], plugin: by } = error;
    this.add({
      code: by?.code ?? code,
      severity: hasFailed ? 'error' : 'warning',
      stops: hasFailed,
      message,
      ...hintOf(by?.code ?? code),
      plugin: plugin.name,
      ...evidenceOf(evidence),
    });
  };

  /** Something to know that stops nothing. */
  tell(
    severity: 'warning' | 'info',
    code: string,
    message: string,
    more: Pick<Issue, 'path' | 'hint' | 'plugin'> = {},
  ): void {
    this.add({ code, severity, stops: false, message, ...more });
  }

  private add(issue: Issue): void {
    this.all.push(issue);
  }
}

function issueOf({ severity, code, message, place, hint }: Finding): Omit<Issue, 'stops' | 'plugin'> {
  const path = place ?? (isKnown(code) ? FIELDS[code] : undefined);
  const known = hint === undefined ? hintOf(code) : { hint };
  return { code, severity, ...(path !== undefined && { path }), message, ...known };
}

function hintOf(code: string): { readonly hint?: string } {
  const hint = isKnown(code) ? errorRow(code).hint : undefined;
  return hint === undefined ? {} : { hint };
}

function evidenceOf(evidence: readonly string[]): { readonly evidence?: readonly string[] } {
  return evidence.length === 0 ? {} : { evidence: evidence.slice(-LIMITS.evidence_lines) };
}

function isKnown(code: string): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}
