/** What one run of a hook says and leaves behind: entries, probes, findings, outputs, each within its bounds. */
import { DeployError } from '../../../domain/errors.js';
import { findingLine, withOutput } from '../../../domain/hook-verdict.js';
import type { Finding, Json, JsonObject } from '../../../domain/hooks.js';
import { LIMITS } from '../../../domain/limits.js';
import {
  createDeploymentLog,
  createHealthCheckLog,
  pluginComponent,
  type LogLevel,
} from '../../../domain/log-entry.js';
import type { ProbeReport } from '../../../domain/plugin.js';
import type { HookSession } from './hook-session.js';

const FINDING_LEVELS = { error: 'error', warning: 'warn', info: 'info' } as const;

export class HookRecord {
  readonly findings: Finding[] = [];
  #outputs: JsonObject = {};
  #entries = 0;

  constructor(
    private readonly session: HookSession,
    private readonly plugin: string,
    /** Stops the hook. */
    private readonly stop: (error: DeployError) => void,
  ) {}

  get outputs(): JsonObject {
    return this.#outputs;
  }

  readonly log = (level: LogLevel, message: string, details?: JsonObject): void => {
    if (!this.#mayWrite()) return;
    const metadata = details && { metadata: { details } };
    this.session.emit(createDeploymentLog({ ...this.#place(), level, message: this.#line(message), ...metadata }));
  };

  readonly probed = (probe: ProbeReport): void => {
    if (!this.#mayWrite()) return;
    const { target, healthy, httpStatus: http_status, durationMs: duration_ms, reason } = probe;
    const timed = duration_ms !== undefined && { duration_ms };
    this.session.emit(createHealthCheckLog({ ...this.#place(), target, healthy, http_status, ...timed, reason }));
  };

  readonly report = (finding: Finding): void => {
    const { severity, message, place, hint } = finding;
    const code = this.session.bounded(finding.code, LIMITS.finding_code_length);
    // Deployments are listed with their findings.
    const short = (part: string): string => this.session.bounded(part, LIMITS.finding_length);
    const where = { ...(place && { place: short(place) }), ...(hint && { hint: short(hint) }) };
    this.findings.push({ severity, code, message: short(message), ...where });
    this.log(FINDING_LEVELS[severity], findingLine(finding), { code, ...where });
  };

  readonly output = (name: string, value: Json): void => {
    this.#outputs = withOutput(this.#outputs, name, value);
  };

  #place(): { at: string; phase: HookSession['phase']; attempt: number; component: string } {
    return { ...this.session.place(), component: pluginComponent(this.plugin) };
  }

  #line(message: string): string {
    return this.session.bounded(message, LIMITS.log_line_length);
  }

  #mayWrite(): boolean {
    if (++this.#entries <= LIMITS.hook_entries) return true;
    this.stop(new DeployError('plugin_flooded', `${this.plugin} wrote more than ${LIMITS.hook_entries} entries.`));
    return false;
  }
}
