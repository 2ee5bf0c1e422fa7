/** A plan as a model is told of it: what would be done, what stands in the way, and the call that does it. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { DeployError } from '../../domain/errors.js';
import { answer, NEXT, type Content } from './answer.js';
import type { ValidationView } from '../deployments/index.js';
import { plain } from './untrusted-text.js';

const MOST_ISSUES = 30;
const MOST_STEPS = 20;
const SECRET = ['env', 'secrets', 'source'];
const EXACTLY_THIS = 'It does exactly this, or is refused when the plan has changed.';
const NOT_REPEATED = ' Add what is not repeated here: env, secrets, source.';
const APPROVED_FIRST = 'It asks a person to approve this, and does it when called again after that.';

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
  const { run_tests: _, run_security_scan: __, ...order } = body;
  const shown = Object.fromEntries(Object.entries(order).filter(([name]) => !SECRET.includes(name)));
  const next = valid
    ? {
        tool: doing,
        arguments: { ...shown, ...(plan_hash && { expected_plan_hash: plan_hash }) },
        why: `${requires_approval ? APPROVED_FIRST : EXACTLY_THIS}${doing === 'deploy_app' ? NOT_REPEATED : ''}`,
      }
    : { tool, arguments: shown, why: 'Once the issues that stop it are gone.' };
  return answer(
    {
      valid,
      issues: issues.slice(0, MOST_ISSUES).map(issueLine),
      ...(issues.length > MOST_ISSUES && { issues_omitted: issues.length - MOST_ISSUES }),
      plan: plan
        .slice(0, MOST_STEPS)
        .map(({ phase, action, summary }) => ({ phase, action, summary: plain(summary, 300) })),
      plan_hash,
      requires_approval,
      expected_downtime: expected_downtime && {
        seconds: expected_downtime.seconds,
        reason: plain(expected_downtime.reason, 300),
      },
      fits: capacity?.fits,
      next,
    },
    ['plan', 'issues'],
  );
}

/** @throws DeployError `plan_changed` */
export function requirePlan(expected: string, { plan_hash }: ValidationView): void {
  if (plan_hash !== expected) throw new DeployError('plan_changed');
}

function issueLine({ code, severity, stops, path, message, hint, plugin }: ValidationView['issues'][number]): Content {
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
