/** Rows of the log as lines for a model, as many as an answer may hold. */
import type { LogRow } from '../../domain/log-entry.js';
import { ANSWER_BYTES } from './answer.js';
import { fenced, plain } from './untrusted-text.js';

const LOG_BYTES = ANSWER_BYTES - 2_000;
/** Room for the rest of a line: time, level, phase. */
const MESSAGE_LENGTH = 500;

export interface LogLines {
  readonly log: string;
  readonly kept: readonly LogRow[];
}

export function logLines(
  rows: readonly LogRow[],
  detailed: boolean,
  keep: 'first' | 'last',
  bytes = LOG_BYTES,
): LogLines {
  const { text, kept } = fenced(
    rows.map((row) => logLine(row, detailed)),
    bytes,
    keep,
  );
  return { log: text, kept: keep === 'first' ? rows.slice(0, kept) : rows.slice(rows.length - kept) };
}

export function logLine(
  { at, level, phase, message, sequence, deployment_id, component, event_type }: LogRow,
  detailed: boolean,
): string {
  const text = plain(message, MESSAGE_LENGTH);
  if (!detailed) return `${at.slice(11, 23)} ${level} ${phase ?? '-'} ${text}`;
  return `${at} ${deployment_id}#${sequence} ${level} ${plain(component, 80)} ${event_type ?? '-'} ${text}`;
}
