/** Tells why a command ended: in words on stderr, and as a document where JSON was asked for. Never a stack. */
import type { Problem } from './answers.js';
import { Interrupted, Refused, Unreachable, UsageError } from './failures.js';
import { problemLines } from './render.js';
import type { Terminal } from './terminal.js';

const LOGIN = 'Run: flukedeploy login';

export function reportFailure(error: unknown, terminal: Terminal, json: boolean): void {
  if (json) terminal.json(documentOf(error));
  if (error instanceof Interrupted) for (const line of error.advice) terminal.note(line);
  else for (const line of problemLines(documentOf(error), terminal.paint)) terminal.note(line);
}

function documentOf(error: unknown): Omit<Problem, 'status'> {
  if (error instanceof Refused)
    return error.problem.code === 'unauthenticated' ? { ...error.problem, hint: LOGIN } : error.problem;
  const title = error instanceof Error ? error.message : String(error);
  if (error instanceof Unreachable)
    return { title, code: 'unreachable', hint: 'Is the server running at this address?' };
  if (error instanceof Interrupted) return { title, code: 'interrupted' };
  if (error instanceof UsageError) return { title };
  return { title: `Unexpected: ${title}` };
}
