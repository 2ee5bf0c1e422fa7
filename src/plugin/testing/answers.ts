/** What a test answers in place of a cluster: by a table, or by a function. */
import type { FetchOptions, FetchResult, PostDeployContext, RunOptions, RunResult } from '../../domain/plugin.js';

/** A table of answers by what is asked for, or a function that is asked each time. An error is thrown where it is the answer. */
export type Answers<Call extends readonly unknown[], Answer> =
  Readonly<Record<string, Answer | Error>> | ((...call: Call) => Answer | Error | Promise<Answer | Error>);

/** Answers by the words of the command, such as `'npm run migrate'`. A number is an exit code; what is left out is that of a success. */
export type RunAnswers = Answers<[command: readonly string[], options: RunOptions], number | Partial<RunResult>>;

/**
 * Answers by path, such as `'/health'`, or by method and path, such as `'POST /orders'`. A number is a status; what is left out is
 * that of a 200 without a body.
 */
export type FetchAnswers = Answers<[path: string, options: FetchOptions], number | Partial<FetchResult>>;

/** How a port answered. */
export type ConnectResult = Awaited<ReturnType<PostDeployContext['connect']>>;

/** Answers by port, such as `5432`: whether it accepts connections. */
export type ConnectAnswers = Answers<Parameters<PostDeployContext['connect']>, boolean | Partial<ConnectResult>>;

/** @throws Error the answer, where it is one, and `missing()` where there is none */
export async function answerTo<Call extends readonly unknown[], Answer>(
  answers: Answers<Call, Answer> | undefined,
  call: Call,
  names: readonly string[],
  missing: () => Error,
): Promise<Answer> {
  const answer = typeof answers === 'function' ? await answers(...call) : inTable(answers ?? {}, names);
  if (answer === undefined) throw missing();
  if (answer instanceof Error) throw answer;
  return answer;
}

function inTable<Answer>(answers: Readonly<Record<string, Answer>>, names: readonly string[]): Answer | undefined {
  const name = names.find((known) => Object.hasOwn(answers, known));
  return name === undefined ? undefined : answers[name];
}
