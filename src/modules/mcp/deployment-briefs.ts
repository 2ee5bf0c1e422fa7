/** Looks at deployments for the tools: who may see them, how they stand, and their change or end, waited for. */
import { Injectable } from '@nestjs/common';
import type { CallToolResult } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { isFinal, PHASES } from '../../domain/phases.js';
import { LogStore, type Principal } from '../../domain/ports.js';
import { requireApp } from '../auth/index.js';
import { DeploymentsService, type DeploymentView } from '../deployments/index.js';
import { answer, type Content } from './answer.js';
import { brief } from './deployment-brief.js';
import type { ToolCall } from './tool-call.js';

const LAST_LINES = 8;
/** Below the minute after which many clients give a call up. */
const WAIT_SECONDS = 50;

export const WAIT = {
  wait_for: z.enum(['change', 'end']).optional().describe('answer only then; progress is reported meanwhile'),
  timeout_seconds: z.int().min(0).max(WAIT_SECONDS).default(WAIT_SECONDS).describe('longest wait'),
};
export interface Wait {
  readonly wait_for?: 'change' | 'end' | undefined;
  readonly seconds: number;
}

@Injectable()
export class DeploymentBriefs {
  constructor(
    private readonly deployments: DeploymentsService,
    private readonly logs: LogStore,
  ) {}

  /** A deployment of a foreign app is not there, as far as this principal can tell. @throws DeployError `deployment_not_found` */
  async requireReadable(id: string, principal: Principal): Promise<void> {
    const { state } = await this.deployments.find(id);
    requireApp(principal, state.identity.app_name, 'deployment_not_found');
  }

  async of(
    id: string,
    { wait_for, seconds }: Wait,
    call: ToolCall,
  ): Promise<{ view: DeploymentView; content: Content }> {
    const view = await this.#awaited(id, wait_for, wait_for === undefined ? 0 : seconds, call);
    return { view, content: await this.content(view) };
  }

  /** The answer of what has ordered it. */
  async answer(id: string, wait: Wait, call: ToolCall): Promise<CallToolResult> {
    return answer((await this.of(id, wait, call)).content, ['last_lines']);
  }

  async content(view: DeploymentView): Promise<Content> {
    if (view.status === 'success') return brief(view, []);
    const { failed_phase: phase } = view;
    const page = await this.logs.tail({ deployment_id: view.deployment_id, ...(phase && { phase }) }, LAST_LINES);
    return brief(view, page.rows);
  }

  /** The wait belongs to the call, the deployment does not: it goes on when the caller has gone. */
  async #awaited(id: string, waitFor: Wait['wait_for'], seconds: number, call: ToolCall): Promise<DeploymentView> {
    const deadline = performance.now() + seconds * 1000;
    let view = await this.deployments.view(id, 0, call.signal);
    await call.progress(...standing(view));
    for (;;) {
      const left = Math.ceil((deadline - performance.now()) / 1000);
      if (left <= 0 || isFinal(view.status) || call.signal.aborted) return view;
      view = await this.deployments.view(id, left, call.signal);
      await call.progress(...standing(view));
      if (waitFor === 'change') return view;
    }
  }
}

function standing(view: DeploymentView): [string, { progress: number; total: number }] {
  const running = PHASES.find((phase) => view.phases[phase].status === 'running');
  const progress = PHASES.filter((phase) => ['succeeded', 'skipped'].includes(view.phases[phase].status)).length;
  return [running ? `${view.status}: ${running}` : view.status, { progress, total: PHASES.length }];
}
