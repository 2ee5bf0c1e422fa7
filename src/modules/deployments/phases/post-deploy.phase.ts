/** post_deploy: every replica proves from outside that it works, before the deployment may be called a success. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { DEFAULT_HEALTH_CHECK, type HealthCheck } from '../../../domain/app-spec.js';
import type { PhaseOutputs } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import { createHealthCheckLog } from '../../../domain/log-entry.js';
import { Cluster, Images, Probes, type ProbeResult, type TaskView } from '../../../domain/ports.js';
import type { DeploymentSession } from '../deployment-session.js';
import { PhaseHandler } from '../phase-handler.js';
import { Rollout } from '../rollout.js';

/** Without any health check a replica must accept connections for this long. */
const UNCHECKED_BAKE_MS = 3_000;

/** How a replica is asked; `container` leaves it to the image's own HEALTHCHECK, which Docker has run already. */
type Gate =
  | { readonly kind: 'http' | 'tcp'; readonly port: number; readonly check: HealthCheck }
  | { readonly kind: 'container' | 'none' };

/** Successes in a row by task id. */
type Streaks = Map<string, number>;

@Injectable()
export class PostDeployPhase extends PhaseHandler {
  readonly phase = 'post_deploy';

  constructor(
    private readonly cluster: Cluster,
    private readonly images: Images,
    private readonly probes: Probes,
    private readonly rollout: Rollout,
  ) {
    super();
  }

  async run(session: DeploymentSession): Promise<PhaseOutputs> {
    const gate = await this.#gate(session);
    switch (gate.kind) {
      case 'container':
        await this.#reportContainers(session);
        return {};
      case 'none':
        await this.#stayUp(session, UNCHECKED_BAKE_MS);
        return {};
      case 'http':
      case 'tcp':
        await this.#pass(session, gate);
        await this.#bake(session, gate);
        return {};
    }
  }

  override async undo(session: DeploymentSession): Promise<'undone' | 'kept'> {
    if (!session.record.spec.auto_rollback && !session.isCancelled) return 'kept';
    await this.rollout.takeBack(session);
    return 'undone';
  }

  async #gate({ config, state }: DeploymentSession): Promise<Gate> {
    const { health_check: check, port } = config;
    if (check) return { kind: check.path === undefined ? 'tcp' : 'http', port: check.port ?? port, check };
    const image = state.outputs.image === undefined ? undefined : await this.images.inspect(state.outputs.image);
    if (image?.has_healthcheck) return { kind: 'container' };
    return port > 0
      ? { kind: 'tcp', port, check: { ...DEFAULT_HEALTH_CHECK, bake_ms: UNCHECKED_BAKE_MS } }
      : { kind: 'none' };
  }

  async #reportContainers(session: DeploymentSession): Promise<void> {
    await this.rollout.watch(session, ({ verdict, running }) => {
      if (verdict.kind !== 'converged') return false;
      for (const task of running)
        session.emit(
          createHealthCheckLog({
            ...session.place(),
            target: nameOf(task),
            healthy: true,
            reason: 'HEALTHCHECK of the image',
          }),
        );
      return true;
    });
  }

  async #stayUp(session: DeploymentSession, ms: number): Promise<void> {
    const until = performance.now() + ms;
    await this.rollout.watch(session, ({ verdict }) => verdict.kind === 'converged' && performance.now() >= until);
  }

  /** Until every replica has answered well often enough in a row. */
  async #pass(session: DeploymentSession, gate: Extract<Gate, { check: HealthCheck }>): Promise<void> {
    const { check } = gate;
    const until = performance.now() + check.deadline_ms;
    const streaks: Streaks = new Map();
    let failures: string[] = [];
    await this.rollout.watch(session, async ({ verdict, running }) => {
      const results = await this.#round(session, gate, running, streaks);
      failures = results.length > 0 ? results : failures;
      const healthy = running.filter((task) => (streaks.get(task.id) ?? 0) >= check.healthy_threshold);
      if (verdict.kind === 'converged' && running.length > 0 && healthy.length === running.length) return true;
      if (performance.now() > until) {
        const message = `${healthy.length} of ${session.config.replicas} replicas became healthy within ${check.deadline_ms / 1000} s.`;
        throw new DeployError('health_check_failed', message, { evidence: failures });
      }
      await sleep(check.interval_ms, undefined, { signal: session.signal });
      return false;
    });
  }

  /** Afterwards they must stay healthy; two failures of one replica in a row are one too many. */
  async #bake(session: DeploymentSession, gate: Extract<Gate, { check: HealthCheck }>): Promise<void> {
    const until = performance.now() + gate.check.bake_ms;
    const failing: Streaks = new Map();
    await this.rollout.watch(session, async ({ verdict, running }) => {
      if (performance.now() >= until) return verdict.kind === 'converged';
      const streaks: Streaks = new Map();
      const failures = await this.#round(session, gate, running, streaks);
      for (const task of running) {
        const failed = (failing.get(task.id) ?? 0) + 1;
        failing.set(task.id, streaks.get(task.id) ? 0 : failed);
        if (failed >= 2 && !streaks.get(task.id)) {
          throw new DeployError('health_check_failed', `${nameOf(task)} was healthy and is no longer.`, {
            evidence: failures,
          });
        }
      }
      await sleep(gate.check.interval_ms, undefined, { signal: session.signal });
      return false;
    });
  }

  /** One probe of each replica; answers what failed. */
  async #round(
    session: DeploymentSession,
    gate: Extract<Gate, { check: HealthCheck }>,
    tasks: readonly TaskView[],
    streaks: Streaks,
  ): Promise<string[]> {
    const results = await Promise.all(tasks.map((task) => this.#probe(session, gate, task)));
    return results.flatMap(({ healthy, reason }, index) => {
      const task = tasks[index];
      if (task === undefined) return [];
      streaks.set(task.id, healthy ? (streaks.get(task.id) ?? 0) + 1 : 0);
      return healthy ? [] : [`${nameOf(task)}: ${reason ?? 'no answer'}`];
    });
  }

  async #probe(
    session: DeploymentSession,
    { kind, port, check }: Extract<Gate, { check: HealthCheck }>,
    task: TaskView,
  ): Promise<ProbeResult> {
    const address = await this.cluster.address(task);
    if (address === undefined) {
      session.log(
        'warn',
        `${nameOf(task)} runs on ${task.node}, out of reach from here: that it runs is all that is known`,
      );
      return { healthy: true, duration_ms: 0 };
    }
    const target = kind === 'http' ? `http://${address}:${port}${check.path ?? '/'}` : `${address}:${port}`;
    const result =
      kind === 'http'
        ? await this.probes.http(target, check.timeout_ms, session.signal)
        : await this.probes.tcp(address, port, check.timeout_ms, session.signal);
    session.emit(
      createHealthCheckLog({ ...session.place(), target: kind === 'http' ? target : `tcp://${target}`, ...result }),
    );
    return result;
  }
}

function nameOf(task: TaskView): string {
  return `replica ${task.slot}`;
}
