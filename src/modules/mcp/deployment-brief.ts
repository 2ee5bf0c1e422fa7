/** A deployment as a model needs it: how it stands, for a failed one its cause, and what to do next. */
import { z } from 'zod';
import { isFinal, PHASES } from '../../domain/phases.js';
import type { LogRow } from '../../domain/log-entry.js';
import type { DeploymentView } from '../deployments/index.js';
import { NEXT, type Content, type NextCall } from './answer.js';
import { fenced, plain } from './untrusted-text.js';

const EVIDENCE_BYTES = 4_000;
const LAST_LINES_BYTES = 3_000;

export const BRIEF = z.looseObject({
  deployment_id: z.string(),
  app_name: z.string(),
  environment: z.string(),
  kind: z.string(),
  status: z.string().describe('pending, building, deploying; final: success, failed, rolled_back, cancelled'),
  final: z.boolean(),
  phase: z.string().optional(),
  phases_done: z.string(),
  version: z.string(),
  release: z.number(),
  error: z
    .looseObject({ phase: z.string().optional(), code: z.string(), message: z.string() })
    .optional()
    .describe('cause: phase, code, message, evidence, suggested_fix'),
  last_lines: z.string().optional(),
  next: NEXT,
});

/** @param last its last rows of output, which help as long as it has not succeeded */
export function brief(view: DeploymentView, last: readonly LogRow[]): Content {
  const { deployment_id, app_name, environment, kind, status, version, release, rollout, rollback } = view;
  const over = PHASES.filter((phase) => ['succeeded', 'skipped'].includes(view.phases[phase].status));
  const phase = view.failed_phase ?? PHASES.find((name) => view.phases[name].status === 'running');
  return {
    deployment_id,
    app_name,
    environment,
    kind,
    status,
    final: isFinal(status),
    ...(phase && { phase }),
    phases_done: `${over.length}/${PHASES.length}`,
    version,
    release,
    ...(view.position > 0 && { position: view.position, behind: view.behind }),
    ...(view.image && { image: view.image }),
    requested_at: view.requested_at,
    ...(view.duration_ms !== undefined && { duration_ms: view.duration_ms }),
    ...(rollout && { rollout: { step: rollout.step, of: rollout.of, ...(rollout.paused && { paused: true }) } }),
    ...(rollback && { rollback: { by: rollback.by, release: rollback.release } }),
    ...(view.rolled_back_by && { rolled_back_by: view.rolled_back_by }),
    ...(view.rollback_of && { rollback_of: view.rollback_of }),
    ...(view.error && { error: causeOf(view) }),
    ...(status !== 'success' &&
      last.length > 0 && {
        last_lines: fenced(
          last.map(({ message }) => plain(message, 300)),
          LAST_LINES_BYTES,
        ).text,
      }),
    next: nextOf(view),
  };
}

function causeOf({ error, failed_phase }: DeploymentView): Content | undefined {
  if (error === undefined) return undefined;
  const evidence = (error.evidence ?? []).map((line) => plain(line));
  return {
    ...(failed_phase && { phase: failed_phase }),
    code: error.code,
    message: plain(error.message, 1_000),
    retryable: error.retryable,
    ...(error.hint && { suggested_fix: plain(error.hint) }),
    ...(error.plugin && {
      plugin: error.plugin,
      ...(error.plugin_code && { plugin_code: plain(error.plugin_code, 100) }),
    }),
    ...(evidence.length > 0 && { evidence: fenced(evidence, EVIDENCE_BYTES).text }),
  };
}

function nextOf({
  deployment_id,
  app_name,
  environment,
  status,
  rollback,
  rolled_back_by,
  has_served,
}: DeploymentView): NextCall {
  const app = { app_name, ...(environment !== 'production' && { environment }) };
  switch (status) {
    case 'pending':
    case 'building':
    case 'deploying':
      return {
        tool: 'deploy_status',
        arguments: { deployment_id, wait_for: 'end' },
        why: 'It answers when the deployment has ended, or after its timeout_seconds: then call it again.',
      };
    case 'success':
      return { tool: 'deploy_history', arguments: app, why: 'Nothing is left to do; this shows what came before.' };
    case 'rolled_back':
      return {
        tool: 'deploy_status',
        arguments: { deployment_id: rolled_back_by ?? deployment_id },
        why: 'This deployment went back to the release before, which serves again. Correct the cause, then call deploy_app.',
      };
    case 'failed':
      if (rollback && !rollback.error) {
        const why = 'FlukeDeploy goes back to the release before by itself.';
        return { tool: 'deploy_status', arguments: { deployment_id: rollback.by, wait_for: 'end' }, why };
      }
      if (has_served) return { tool: 'deploy_rollback', arguments: app, why: 'The failed version has met requests.' };
      return {
        tool: 'deploy_logs',
        arguments: { deployment_id, errors_only: true },
        why: 'No request has met the new version; what ran before runs on. Correct the cause, then call deploy_app.',
      };
    case 'cancelled':
      return { tool: 'deploy_history', arguments: app, why: 'It shows what took its place.' };
  }
}
