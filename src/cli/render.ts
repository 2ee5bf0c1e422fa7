/** How deployments, entries and errors look as text. Pure; text of others is made printable here. */
import { isRelease } from '../domain/releases.js';
import type { LogLevel, UnifiedLogEntry } from '../domain/log-entry.js';
import { isFinal, PHASES, type DeploymentStatus, type Phase, type PhaseStatus } from '../domain/phases.js';
import type { DeploymentAnswer, PhaseAnswer, Problem } from './answers.js';
import { printable, printableLines } from './printable.js';
import { shortTime, table } from './table.js';
import type { Paint, Style } from './terminal.js';

const plain: Paint = (_style, text) => text;

const PHASE_LOOK: Readonly<Record<PhaseStatus, { readonly mark: string; readonly style: Style }>> = {
  pending: { mark: '○', style: 'dim' },
  running: { mark: '●', style: 'cyan' },
  succeeded: { mark: '✓', style: 'green' },
  failed: { mark: '✗', style: 'red' },
  skipped: { mark: '–', style: 'dim' },
};

const STATUS_STYLE: Readonly<Record<DeploymentStatus, Style>> = {
  pending: 'dim',
  building: 'cyan',
  deploying: 'cyan',
  success: 'green',
  failed: 'red',
  rolled_back: 'yellow',
  cancelled: 'yellow',
};

const LEVEL_STYLE: Readonly<Record<LogLevel, Style | undefined>> = {
  debug: 'dim',
  info: undefined,
  warn: 'yellow',
  error: 'red',
};

/** `0.2s`, `1m 05s`, `2h 03m`. */
export function duration(milliseconds: number): string {
  const tenths = Math.max(0, Math.round(milliseconds / 100));
  if (tenths < 600) return `${(tenths / 10).toFixed(1)}s`;
  const seconds = Math.round(tenths / 10);
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  return `${Math.floor(seconds / 3600)}h ${two(Math.floor((seconds % 3600) / 60))}m`;
}

/** One entry; each line of its message says which phase speaks, so that no output can pass for another's. */
export function entryLines(entry: UnifiedLogEntry, paint: Paint = plain): string[] {
  const prefix = paint('dim', `[${printable(entry.flukedeploy_metadata.phase ?? 'deployment')}]`);
  const style = LEVEL_STYLE[entry.level];
  const mark = entry.level === 'warn' || entry.level === 'error' ? `${entry.level}: ` : '';
  return printableLines(entry.message).map((line) => {
    const text = mark + line;
    return `${prefix} ${style ? paint(style, text) : text}`;
  });
}

/** The same for a log that is read later, or that is of several deployments. */
export function datedEntryLines(entry: UnifiedLogEntry, paint: Paint = plain): string[] {
  const { deployment_id } = entry.flukedeploy_metadata;
  const prefix = paint('dim', printable(`${entry.timestamp} ${deployment_id}`));
  return entryLines(entry, paint).map((line) => `${prefix} ${line}`);
}

/**
 * `✓ pre_build 0.2s · ● build 3.1s · ○ pre_deploy · …`, behind the place in the queue of a deployment that waits.
 * @param now milliseconds since 1970, for how long the running phase has run
 * @param room columns; what does not fit is cut off
 */
export function phaseLine(deployment: DeploymentAnswer, now: number, paint: Paint = plain, room = Infinity): string {
  const waiting = deployment.status === 'pending' ? [[queueText(deployment), 'dim'] as const] : [];
  const pieces = [...waiting, ...PHASES.map((phase) => phaseText(deployment.phases[phase], phase, now))];
  let left = room;
  const fitted = pieces.map(([text, style], index) => {
    const piece = `${index > 0 ? ' · ' : ''}${text}`.slice(0, left);
    left -= piece.length;
    return piece && paint(style, piece);
  });
  return fitted.join('');
}

export function queueText({ position, behind }: DeploymentAnswer): string {
  if (position === 0) return 'waiting for a worker';
  return `waiting at position ${position}${behind ? ` behind ${printable(behind)}` : ''}`;
}

function phaseText(phase: PhaseAnswer, name: Phase, now: number): readonly [text: string, style: Style] {
  const { mark, style } = PHASE_LOOK[phase.status];
  const running = phase.status === 'running' && phase.started_at ? now - Date.parse(phase.started_at) : undefined;
  const elapsed = phase.duration_ms ?? running;
  const time = phase.status === 'skipped' || elapsed === undefined ? '' : ` ${duration(elapsed)}`;
  return [`${mark} ${name}${time}`, style];
}

/** How it ended, or how it stands. */
export function summaryLines(deployment: DeploymentAnswer, paint: Paint = plain): string[] {
  const { status, app_name, environment, version, release } = deployment;
  const app = printable(
    environment === 'production' ? `${app_name} ${version}` : `${app_name} ${version} (${environment})`,
  );
  const after = deployment.duration_ms === undefined ? '' : ` after ${duration(deployment.duration_ms)}`;
  const headline = (text: string) => paint(STATUS_STYLE[status], text);
  switch (status) {
    case 'success':
      return [
        headline(`✓ ${app} is live${isRelease(deployment) ? ` as release ${release}` : ''}${after}`),
        ...(deployment.image ? [`  image ${printable(deployment.image)}`] : []),
      ];
    case 'failed':
      return [
        headline(`✗ ${app} failed${deployment.failed_phase ? ` in ${deployment.failed_phase}` : ''}${after}`),
        ...failureLines(deployment, paint),
      ];
    case 'rolled_back':
      return [
        headline(`✗ ${app} was rolled back${deployment.rolled_back_by ? ` by ${deployment.rolled_back_by}` : ''}`),
        ...failureLines(deployment, paint),
      ];
    case 'cancelled':
      return [
        headline(`■ ${app} was cancelled${after}`),
        ...(deployment.cancel_reason ? [`  ${printable(deployment.cancel_reason)}`] : failureLines(deployment, paint)),
      ];
    case 'pending':
      return [headline(`○ ${app} is ${queueText(deployment)}`)];
    case 'building':
    case 'deploying':
      return [headline(`● ${app} is ${status}`)];
  }
}

function failureLines({ error }: DeploymentAnswer, paint: Paint): string[] {
  if (error === undefined) return [];
  const [message = '', ...more] = printableLines(error.message);
  return [
    `  ${paint('bold', printable(error.code))}: ${message}`,
    ...more.map((line) => `  ${line}`),
    ...(error.evidence ?? []).flatMap(printableLines).map((line) => `  ${paint('dim', '│')} ${line}`),
    ...(error.hint ? [`  hint: ${printable(error.hint)}`] : []),
  ];
}

/** All that `status` shows. */
export function statusLines(deployment: DeploymentAnswer, now: number, paint: Paint = plain): string[] {
  const { deployment_id, source, actor, requested_at } = deployment;
  const skipped = PHASES.filter((phase) => deployment.phases[phase].reason !== undefined);
  return [
    ...summaryLines(deployment, paint),
    ...(deployment.status === 'pending' ? [] : [`  ${phaseLine(deployment, now, paint)}`]),
    ...rolloutLines(deployment),
    ...skipped.map((phase) => `  ${phase} skipped: ${printable(deployment.phases[phase].reason ?? '')}`),
    `  source ${printable(source)}`,
    `  asked for by ${printable(actor)} at ${printable(requested_at)}`,
    ...(isFinal(deployment.status) ? [] : [`  watch: flukedeploy logs ${printable(deployment_id)} --follow`]),
  ];
}

function rolloutLines({ status, rollout }: DeploymentAnswer): string[] {
  if (rollout === undefined || isFinal(status)) return [];
  const { step, of, paused } = rollout;
  return [`  rollout step ${step} of ${of}${paused ? `, paused: ${printable(paused.reason)}` : ''}`];
}

export function historyLines(deployments: readonly DeploymentAnswer[], paint: Paint = plain): string[] {
  const heads = ['RELEASE', 'VERSION', 'ENVIRONMENT', 'STATUS', 'REQUESTED', 'TIME', 'BY', 'DEPLOYMENT'];
  const rows = deployments.map((deployment) => [
    String(deployment.release),
    deployment.version,
    deployment.environment,
    deployment.status,
    shortTime(deployment.requested_at),
    deployment.duration_ms === undefined ? '' : duration(deployment.duration_ms),
    deployment.actor,
    deployment.deployment_id,
  ]);
  const [head = '', ...lines] = table(heads, rows);
  return [
    paint('bold', head),
    ...lines.map((line, index) => {
      const status = deployments[index]?.status ?? 'pending';
      return line.replace(status, paint(STATUS_STYLE[status], status));
    }),
  ];
}

export function problemLines(
  { title, detail, code, errors = [], hint, rule, approval_id }: Omit<Problem, 'status'>,
  paint: Paint = plain,
): string[] {
  return [
    `${paint('red', 'error')}: ${printable(title)}${code ? ` (${printable(code)})` : ''}`,
    ...(detail && detail !== title ? printableLines(detail).map((line) => `  ${line}`) : []),
    ...errors.map(({ path, message }) => `  - ${printable(path)}: ${printable(message)}`),
    ...(rule ? [`  rule: ${printable(rule)}`] : []),
    ...(approval_id ? [`  approval: ${printable(approval_id)}`] : []),
    ...(hint ? [`  hint: ${printable(hint)}`] : []),
  ];
}
