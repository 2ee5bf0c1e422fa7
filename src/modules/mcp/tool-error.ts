/** A refusal as a model can act on it: what is wrong, whether trying again helps, and the exact next call. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { DeployError, errorRow, type ErrorCode } from '../../domain/errors.js';
import { answer, type Content, type NextCall } from './answer.js';
import { plain } from './untrusted-text.js';

const MOST_FIELDS = 10;
/** Arguments that are not repeated: they are secret, or long. */
const NOT_REPEATED = ['env', 'secrets', 'source', 'command', 'plugins'];

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
  (tool, given) => ({ tool, arguments: repeated(given, [field]), why });

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
  plan_changed: (tool, given) => ({
    tool,
    arguments: { ...repeated(given, ['expected_plan_hash']), dry_run: true },
    why: 'It shows the plan as it is now, with its plan_hash.',
  }),
  approval_required: (tool, given) => ({
    tool,
    arguments: repeated(given, []),
    why: 'The very same call, with all that is not repeated here, once a person has approved approval_id. Ask one.',
  }),
  approval_rejected: listed,
  agents_frozen: listed,
  policy_denied: (tool, given) =>
    tool === 'deploy_rollback'
      ? listed(tool, given)
      : {
          tool: 'deploy_validate',
          arguments: repeated(given, OF_DEPLOY),
          why: 'It tells whether another wish is allowed.',
        },
  idempotency_key_reused: without('idempotency_key', 'With another idempotency_key, or none.'),
  cursor_invalid: without('cursor', 'Without a cursor it begins anew.'),
};

function nextOf(tool: string, given: Content, { code, fields }: DeployError): NextCall {
  const next = NEXT[code];
  if (next) return next(tool, given);
  const wrong = [...new Set(fields?.map(({ path }) => path.split('.')[0] ?? path))];
  if (wrong.length === 0)
    return { tool, arguments: repeated(given, []), why: 'The same call, once the cause is gone.' };
  const named = wrong.map((name) => plain(name, 100)).join(', ');
  return { tool, arguments: repeated(given, wrong), why: `The same call with another value of ${named}, or without.` };
}

function repeated(given: Content, left: readonly string[]): Content & Record<string, unknown> {
  const kept = Object.entries(given).filter(([name, value]) => {
    const small =
      typeof value === 'number' || typeof value === 'boolean' || (typeof value === 'string' && value.length < 200);
    return small && !left.includes(name) && !NOT_REPEATED.includes(name);
  });
  return Object.fromEntries(
    kept.slice(0, 20).map(([name, value]) => [plain(name, 50), typeof value === 'string' ? plain(value, 200) : value]),
  );
}
