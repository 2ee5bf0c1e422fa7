/** The agents that hold tokens, and the one switch that stops them all. */
import { Injectable } from '@nestjs/common';
import { DeployError } from '../../domain/errors.js';
import type { Freeze } from '../../domain/policy.js';
import { AgentStore, type AgentRecord, type Principal } from '../../domain/ports.js';
import { DeploymentsService } from '../deployments/index.js';

@Injectable()
export class AgentsService {
  constructor(
    private readonly store: AgentStore,
    private readonly deployments: DeploymentsService,
  ) {}

  async list(): Promise<{ agents: AgentRecord[]; frozen: Freeze | undefined }> {
    const [agents, frozen] = await Promise.all([this.store.list(), this.store.frozen()]);
    return { agents, frozen };
  }

  /** From its return on no agent can change anything. Answers the ids of the deployments that are cancelled along with it. */
  async freeze(
    principal: Principal,
    reason: string,
    cancelRunning: boolean,
  ): Promise<{ frozen: Freeze; cancelled: string[] }> {
    const frozen = await this.store.freeze({ at: new Date().toISOString(), by: principal.actor, reason });
    return { frozen, cancelled: cancelRunning ? await this.#cancelAll(principal, reason) : [] };
  }

  /** Where nothing is frozen it changes nothing. */
  async unfreeze(): Promise<void> {
    await this.store.unfreeze();
  }

  async #cancelAll(principal: Principal, reason: string): Promise<string[]> {
    const cancelled: string[] = [];
    for (const id of await this.store.unfinished()) {
      const done = await this.deployments.cancel(id, principal, `agents are frozen: ${reason}`).then(
        () => true,
        // It has ended by itself in between.
        (error: unknown) => {
          if (error instanceof DeployError && error.code === 'deployment_ended') return false;
          throw error;
        },
      );
      if (done) cancelled.push(id);
    }
    return cancelled;
  }
}
