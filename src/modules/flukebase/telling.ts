/** What FlukeBase is told of a deployment as it is now: its summary and its task, each with a fingerprint. */
import { createHash } from 'node:crypto';
import { deploymentLinks, deploymentSummary } from '../../domain/deployment-summary.js';
import type { DeploymentState } from '../../domain/facts.js';
import type { LaneChannel, StateStep } from '../../domain/flukebase-lane.js';
import type { FlukeBaseRoute } from '../../domain/flukebase-verdict.js';
import type { FlukeBase, FlukeBaseCall, FlukeBaseReply } from '../../domain/ports.js';
import { firstTaskState, newWedoTask, taskIdOf, wedoTaskChange } from '../../domain/wedo-task.js';

export interface Telling {
  /** Of what the channel tells, so that the same is not told twice. */
  readonly digest: string;
  /** Of what the step tells: a task is created as it was asked for, and changed to what it is now after that. */
  readonly digestOf: (step: StateStep) => string;
  readonly task_id: string;
  /** The order named the task: it is there already. */
  readonly is_adopted: boolean;
  readonly send: (flukebase: FlukeBase, step: StateStep, call: FlukeBaseCall) => Promise<FlukeBaseReply>;
}

/** @param origin of this server, for links */
export function tellingOf(channel: LaneChannel, deployment: DeploymentState, origin: string): Telling {
  const { id: task_id, is_adopted } = taskIdOf(deployment);
  const links = deploymentLinks(deployment.identity.id, origin);
  const summary = deploymentSummary(deployment, task_id, links);
  const change = wedoTaskChange(deployment, links);
  const digest = fingerprint(channel === 'task' ? change : summary);
  return {
    digest,
    digestOf: (step) => (step === 'create_task' ? fingerprint(firstTaskState(deployment, links)) : digest),
    task_id,
    is_adopted,
    send: (flukebase, step, call) => {
      switch (step) {
        case 'summary':
          return flukebase.syncDeploymentSummary(summary, call);
        case 'create_task':
          return flukebase.createDeploymentTask(newWedoTask(deployment, links), call);
        case 'change_task':
          return flukebase.updateWedoTask(task_id, change, call);
      }
    },
  };
}

/** Where each step goes. */
export const ROUTES = {
  summary: 'deployment',
  create_task: 'new_task',
  change_task: 'task',
} as const satisfies Record<StateStep, FlukeBaseRoute>;

function fingerprint(content: object): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32);
}
