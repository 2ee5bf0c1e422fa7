/** A refusal as a model can act on it: what is wrong, whether trying again helps, and the exact next call. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { DeployError, errorRow, type ErrorCode } from '../../domain/errors.js';
import { answer, type Content, type NextCall } from './answer.js';
import { repeatedCall } from './repeated-call.js';
import { plain } from './untrusted-text.js';

const MOST_FIELDS = 10;

export function errorAnswer(tool: string, given: Content, error: DeployError): CallToolResult {
  const { retryable, hint, title } = errorRow(error.code);
  const [first] = error.fields ?? [];
  const told = {
    code: error.code,
    // What went wrong inside is for the server's own log.
    message: plain(error.code === 'internal' ? title : error.message, 1_000),
    retryable,
    hint: hint ?? 'Correct what the message names, and call again.',
    ...(first && { field: plain(first.path, 100) }),
    ...(error.fields &&
      error.fields.length > 1 && {
        fields: error.fields.slice(0, MOST_FIELDS).map(({ path, message }) => ({
          path: plain(path, 100),
          message: plain(message, 200),
        })),
      }),
    ...error.policy,
    ...(error.retryAfterSeconds !== undefined && { retry_after_seconds: error.retryAfterSeconds }),
    next: nextOf(tool, given, error),
  };
  return { ...answer({ error: told }), isError: true };
}

type Next = (tool: string, given: Content) => NextCall;

const listed: Next = (_, given) => ({
  tool: 'deploy_history',
  arguments: typeof given['app_name'] === 'string' ? { app_name: plain(given['app_name'], 50) } : {},
  why: 'It lists what there is, newest first.',
});
const allListed: Next = () => ({
  tool: 'deploy_history',
  arguments: {},
  why: 'It lists the deployments of all apps that you may see.',
});
const without =
  (field: string, why: string): Next =>
  (tool, given) =>
    repeatedCall(tool, given, { why, without: [field] });

/** Arguments of deploy_app that deploy_validate does not take. */
const OF_DEPLOY = ['dry_run', 'expected_plan_hash', 'idempotency_key', 'wait_for', 'timeout_seconds'];

/** Of all other codes it is the same call, corrected. */
const NEXT: Partial<Record<ErrorCode, Next>> = {
  deployment_not_found: listed,
  release_not_found: listed,
  no_previous_release: listed,
  already_live: listed,
  release_image_gone: listed,
  deployment_in_progress: listed,
  app_not_found: allListed,
  app_not_live: allListed,
  plan_changed: (tool, given) =>
    repeatedCall(tool, given, {
      why: 'It shows the plan as it is now, with its plan_hash.',
      without: ['expected_plan_hash'],
      added: { dry_run: true },
    }),
  approval_required: (tool, given) =>
    repeatedCall(tool, given, { why: 'The very same call, once a person has approved approval_id. Ask one.' }),
  approval_rejected: listed,
  agents_frozen: listed,
  policy_denied: (tool, given) =>
    tool === 'deploy_rollback'
      ? listed(tool, given)
      : repeatedCall('deploy_validate', given, {
          why: 'It tells whether another wish is allowed.',
          without: OF_DEPLOY,
        }),
  idempotency_key_reused: without('idempotency_key', 'With another idempotency_key, or none.'),
  cursor_invalid: without('cursor', 'Without a cursor it begins anew.'),
};

function nextOf(tool: string, given: Content, { code, fields }: DeployError): NextCall {
  const next = NEXT[code];
  if (next) return next(tool, given);
  const wrong = [...new Set(fields?.map(({ path }) => path.split('.')[0] ?? path))];
  if (wrong.length === 0) return repeatedCall(tool, given, { why: 'The same call, once the cause is gone.' });
  const named = wrong.map((name) => plain(name, 100)).join(', ');
  return repeatedCall(tool, given, {
    why: `The same call with another value of ${named}, or without.`,
    without: wrong,
  });
}
