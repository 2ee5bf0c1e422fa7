/** A plan as a model is told of it: what would be done, what stands in the way, and the call that does it. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError } from '../../domain/errors.js';
import { answer, ANSWER_BYTES, fitting, NEXT, type Content, type NextCall } from './answer.js';
import type { ValidationView } from '../deployments/index.js';
import { repeatedCall } from './repeated-call.js';
import { jsonBytes, plain } from './untrusted-text.js';

const MOST_ISSUES = 30;
const MOST_STEPS = 20;
/** The call that comes next and a part of the plan have room beside them. */
const ISSUES_BYTES = 7_000;
/** What the numbers of those that were left out take. */
const COUNTS_BYTES = 100;
/** Arguments of deploy_validate that deploy_app does not take. */
const OF_VALIDATE = ['run_tests', 'run_security_scan'];
const EXACTLY_THIS = 'It does exactly this, or is refused when the plan has changed.';
const APPROVED_FIRST = 'It asks a person to approve this, and does it when called again after that.';
const SEVERITIES = ['error', 'warning', 'info'];

type Issue = ValidationView['issues'][number];

export const PLAN = z.looseObject({
  valid: z.boolean(),
  issues: z.array(z.looseObject({ code: z.string(), severity: z.string(), message: z.string() })),
  plan: z.array(z.looseObject({ phase: z.string(), action: z.string(), summary: z.string() })),
  plan_hash: z.string().optional(),
  requires_approval: z.boolean().optional().describe('a person must approve it first'),
  next: NEXT,
});

/**
 * @param tool which one was called, with what
 * @param doing the one that does it
 */
export function planAnswer(tool: string, body: Content, view: ValidationView, doing = 'deploy_app'): CallToolResult {
  const { valid, issues, plan, plan_hash, requires_approval, expected_downtime, capacity } = view;
  const told = {
    valid,
    issues: fitting(issues.toSorted(worstFirst).slice(0, MOST_ISSUES).map(issueLine), ISSUES_BYTES),
    plan_hash,
    requires_approval,
    expected_downtime: expected_downtime && {
      seconds: expected_downtime.seconds,
      reason: plain(expected_downtime.reason, 300),
    },
    fits: capacity?.fits,
    next: nextOf(tool, body, view, doing),
  };
  const steps = plan
    .slice(0, MOST_STEPS)
    .map(({ phase, action, summary }) => ({ phase, action, summary: plain(summary, 300) }));
  const shown = fitting(steps, ANSWER_BYTES - jsonBytes({ ...told, plan: [] }) - COUNTS_BYTES);
  return answer({
    ...told,
    ...(issues.length > told.issues.length && { issues_omitted: issues.length - told.issues.length }),
    plan: shown,
    ...(plan.length > shown.length && { plan_omitted: plan.length - shown.length }),
  });
}

function nextOf(
  tool: string,
  body: Content,
  { valid, plan_hash, requires_approval }: ValidationView,
  doing: string,
): NextCall {
  if (!valid) return repeatedCall(tool, body, { why: 'Once the issues that stop it are gone.' });
  return repeatedCall(doing, body, {
    why: requires_approval ? APPROVED_FIRST : EXACTLY_THIS,
    without: OF_VALIDATE,
    ...(plan_hash && { added: { expected_plan_hash: plan_hash } }),
  });
}

/** @throws DeployError `plan_changed` */
export function requirePlan(expected: string, { plan_hash }: ValidationView): void {
  if (plan_hash !== expected) throw new DeployError('plan_changed');
}

function issueLine({ code, severity, stops, path, message, hint, plugin }: Issue): Content {
  return {
    code: plain(code, 100),
    severity,
    stops,
    ...(path && { path: plain(path, 100) }),
    ...(plugin && { plugin }),
    message: plain(message, 300),
    ...(hint && { hint: plain(hint, 200) }),
  };
}

/** What stops it, then by severity, in the order in which they were found. */
function worstFirst(one: Issue, other: Issue): number {
  return (
    Number(other.stops) - Number(one.stops) || SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity)
  );
}
