/** One request of a check: asked, compared with what is expected, and recorded as a probe. */
import { z, type FetchOptions, type PostDeployContext } from '../../plugin/index.js';
import { beginning, differences, type Expectations } from './expectations.js';

export const path = z
  .string()
  .max(2_000)
  .regex(/^\/\S*$/, 'A path begins with a slash and holds no spaces.');

export const timeout = z.int().min(100).max(60_000);
export const interval = z.int().min(10).max(60_000);

export interface Question {
  /** What the log calls it. */
  readonly target: string;
  readonly path: string;
  readonly options: FetchOptions;
  readonly expect: Expectations;
}

/** Why the answer is not what was expected; `undefined` when it is. */
export async function probe(
  context: Pick<PostDeployContext, 'fetch' | 'probed'>,
  { target, path, options, expect }: Question,
): Promise<string | undefined> {
  const answer = await answerOf(context, path, options);
  if ('reason' in answer) {
    context.probed({ target, healthy: false, reason: answer.reason });
    return answer.reason;
  }
  const { status: httpStatus, durationMs, body } = answer;
  const found = differences(expect, answer);
  const reason = found.length > 0 ? `${found.join('; ')}; the body begins with ${beginning(body)}` : undefined;
  context.probed({ target, healthy: !reason, httpStatus, durationMs, ...(reason !== undefined && { reason }) });
  return reason;
}

/** That nothing answers is a result too. Every other error is not the version's fault and goes its way. */
async function answerOf({ fetch }: Pick<PostDeployContext, 'fetch'>, path: string, options: FetchOptions) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'service_unreachable')) throw error;
    return { reason: error.message };
  }
}
