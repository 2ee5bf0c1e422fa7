/** How a validation looks as text: what speaks against the deployment, then what it would do. Pure. */
import type { Severity } from '../domain/hooks.js';
import type { ValidationAnswer } from './answers.js';
import { printable, printableLines } from './printable.js';
import type { Paint, Style } from './terminal.js';

const plain: Paint = (_style, text) => text;

const SEVERITY_STYLE: Readonly<Record<Severity, Style>> = { error: 'red', warning: 'yellow', info: 'dim' };

type IssueAnswer = ValidationAnswer['issues'][number];

export function validationLines(app: string, answer: ValidationAnswer, paint: Paint = plain): string[] {
  const { valid, issues, plan, requires_approval, restart, expected_downtime: downtime, capacity } = answer;
  const verdict = valid
    ? paint('green', `✓ nothing that was checked would stop ${printable(app)}`)
    : paint('red', `✗ ${printable(app)} would be stopped`);
  return [
    ...issues.flatMap((issue) => issueLines(issue, paint)),
    ...plan.map(({ phase, summary }) => `${paint('dim', `[${printable(phase)}]`)} ${printable(summary)}`),
    verdict,
    ...(requires_approval ? ['  approval: a person must approve it first'] : []),
    ...(restart ? [`  replaced: ${restart.replicas} replicas. ${printable(restart.reason)}`] : []),
    ...(downtime
      ? [
          `  downtime: ${downtime.seconds === 0 ? 'none' : `${downtime.seconds} s or more`}. ${printable(downtime.reason)}`,
        ]
      : []),
    ...(capacity ? [capacityLine(capacity)] : []),
  ];
}

function issueLines(
  { code, severity, stops, path, message, hint, plugin, evidence = [] }: IssueAnswer,
  paint: Paint,
): string[] {
  const [first = '', ...more] = printableLines(message);
  const place = path === undefined ? '' : `${printable(path)}: `;
  const by = plugin === undefined ? '' : ` ${paint('dim', `by ${printable(plugin)}`)}`;
  return [
    `${paint(SEVERITY_STYLE[severity], severity)}${stops ? paint('bold', ' stops it') : ''}: ${place}${first} (${printable(code)})${by}`,
    ...more.map((line) => `  ${line}`),
    ...evidence.flatMap(printableLines).map((line) => `  ${paint('dim', '│')} ${line}`),
    ...(hint === undefined ? [] : [`  hint: ${printable(hint)}`]),
  ];
}

function capacityLine({ replicas_extra, cpus, memory_mb, fits }: NonNullable<ValidationAnswer['capacity']>): string {
  const reserved = [...(cpus > 0 ? [`${cpus} CPU`] : []), ...(memory_mb > 0 ? [`${memory_mb} MB`] : [])];
  const needed = reserved.length > 0 ? `, which reserve ${reserved.join(' and ')}` : '';
  return `  room: at most ${replicas_extra} more replicas at a time${needed}${fits ? '' : ': there is not enough'}`;
}
