/** One version on its way into the traffic: its replicas, its gate, and where the requests go. The strategies are told with it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isExclusive, placeName, type AppConfig } from '../../../domain/app-spec.js';
import { isDismissed, isServing, judge, toDeployError, type Verdict } from '../../../domain/convergence.js';
import type { Base } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import type { DesiredService, Edge, TaskView } from '../../../domain/ports.js';
import { switched } from '../../../domain/rollout-plan.js';
import type { Backend, Retiring, Traffic } from '../../../domain/traffic.js';
import type { DeploymentSession } from '../deployment-session.js';
import type { HealthGate } from './health-gate.js';
import type { RolloutPorts } from './rollouts.js';

/** Swarm's events tell of the local node only, so the tasks are asked for: 3 ms of the engine's time each. */
const POLL_MS = 200;

export interface Look {
  readonly verdict: Verdict;
  /** Replicas of the new version that Swarm is told to run. */
  readonly fresh: number;
  /** Those that run, as far as can be told. */
  readonly running: readonly TaskView[];
  /** Those that run and have passed the gate. */
  readonly ready: readonly TaskView[];
}

export class Rollout {
  readonly #began = performance.now();
  /** Tasks that Swarm has told to stop: however they end, it is not their fault. */
  readonly #dismissed = new Set<string>();
  #told = '';

  constructor(
    readonly session: DeploymentSession,
    readonly desired: DesiredService,
    /** Whether a service that runs already becomes the new version. */
    readonly adopted: boolean,
    readonly gate: HealthGate,
    /** The app's traffic as it was, with what is configured newly. */
    readonly traffic: Traffic,
    private readonly ports: RolloutPorts,
  ) {}

  get config(): AppConfig {
    return this.session.config;
  }

  get base(): Base {
    return this.session.state.base ?? { replicas: 0, retiring: [] };
  }

  /** What answers the requests before anything is switched. */
  get before(): readonly Backend[] {
    return (this.base.traffic?.stable ?? []).filter(({ service }) => service !== this.desired.name);
  }

  /** Whether the service that becomes the new version answers the requests already: only its settings change. */
  get isLive(): boolean {
    return this.base.traffic?.stable.some(({ service }) => service === this.desired.name) ?? false;
  }

  get wanted(): number {
    return this.config.replicas;
  }

  get isExclusive(): boolean {
    return isExclusive(this.config);
  }

  /** The new version as a place for requests; with addresses, only those replicas. */
  backend(ready?: readonly TaskView[]): Backend {
    const { name: service, deployment_id, release } = this.desired;
    const addresses = ready?.map(({ address }) => address).filter((address) => address !== undefined);
    return { service, deployment_id, release, port: this.config.port, ...(addresses && { addresses }) };
  }

  /** Looks at the new version, and asks its replicas how they are. @throws DeployError when it has failed or was aborted */
  async look(): Promise<Look> {
    const { session, ports, desired } = this;
    session.signal.throwIfAborted();
    await this.#listen();
    const [service, tasks] = await Promise.all([
      ports.cluster.findService(desired.name),
      ports.cluster.tasks(desired.name),
    ]);
    const fresh = service?.replicas ?? 0;
    const since_ms = performance.now() - this.#began;
    const verdict = judge({ service, tasks: this.#answerable(tasks), replicas: fresh, since_ms, adopted: this.adopted });
    if (verdict.kind === 'failed') throw await this.#failure(verdict);
    if (verdict.kind === 'waiting') this.#tell('info', verdict.reason);
    const serving = tasks.filter(isServing);
    await this.gate.look(serving);
    const silent = serving.filter((task) => this.gate.isSilent(task));
    const running = serving.filter((task) => !silent.includes(task));
    for (const { slot, node } of silent.slice(0, 1)) {
      this.#tell('warn', `Nothing comes back from replica ${slot} on ${node}: where the node is lost, Swarm runs it elsewhere`);
    }
    const fallen = running.filter((task) => this.gate.hasFallen(task));
    if (fallen[0]) {
      throw new DeployError('health_check_failed', `replica ${fallen[0].slot} was healthy and is no longer.`, {
        evidence: this.gate.evidence(fallen),
      });
    }
    return { verdict, fresh, running, ready: running.filter((task) => this.gate.hasPassed(task)) };
  }

  /**
   * A lost node's tasks end when it comes back and learns that others have taken their place; what ends by itself ends
   * before Swarm wants it to.
   */
  #answerable(tasks: readonly TaskView[]): TaskView[] {
    for (const task of tasks) if (isDismissed(task)) this.#dismissed.add(task.id);
    return tasks.filter(({ id }) => !this.#dismissed.has(id));
  }

  /** Says it, unless it was the last thing said. */
  #tell(level: 'info' | 'warn', message: string): void {
    if (message !== this.#told) this.session.log(level, (this.#told = message));
  }

  /** Repeats `step` until it answers true. While the rollout is paused the version is watched, and nothing moves on. */
  async watch(step: (look: Look) => Promise<boolean> | boolean, { whilePaused = false } = {}): Promise<void> {
    for (;;) {
      const look = await this.look();
      if ((whilePaused || !this.session.isPaused) && (await step(look))) return;
      await sleep(Math.min(POLL_MS, this.gate.gate.check.interval_ms), undefined, { signal: this.session.signal });
    }
  }

  /**
   * Until so many replicas have passed their gate; each one that does gives the others the full time again. A replica whose
   * node still fetches the image has not begun.
   */
  async gated(count: number): Promise<readonly TaskView[]> {
    let ready: readonly TaskView[] = [];
    let since = performance.now();
    await this.watch((look) => {
      if (look.ready.length > ready.length) since = performance.now();
      ready = look.ready;
      if (ready.length >= count && look.running.length === look.fresh) return true;
      if (this.isOverdue(look, since)) throw this.tooLate(look, count);
      return false;
    });
    return ready;
  }

  isOverdue({ running }: Look, since: number): boolean {
    return running.some((task) => this.gate.isOverdue(task, since));
  }

  tooLate({ ready, running }: Look, count: number): DeployError {
    const message = `${ready.length} of ${count} replicas became healthy within ${this.gate.gate.check.deadline_ms / 1000} s.`;
    return new DeployError('health_check_failed', message, { evidence: this.gate.evidence(running) });
  }

  /** Runs this many replicas of the new version: the service is made where there is none. */
  async scaleFresh(replicas: number): Promise<void> {
    const { session, desired, ports } = this;
    if (!this.adopted) {
      const change = await ports.cluster.create({ ...desired, replicas }, session.signal);
      if (change === 'created') {
        session.log('info', `Service ${desired.name} created: ${desired.image}, ${replicas} of ${this.wanted} replicas`);
        return;
      }
    }
    const from = await ports.cluster.scale(desired.name, replicas, session.signal);
    if (from !== undefined && from !== replicas)
      session.log('info', `Service ${desired.name}: ${from} → ${replicas} replicas`);
  }

  /** Replicas of the version before that Swarm is told to run. */
  async replicasBefore(): Promise<number> {
    const services = await Promise.all(this.before.map(({ service }) => this.ports.cluster.findService(service)));
    return services.reduce((sum, service) => sum + (service?.replicas ?? 0), 0);
  }

  /** Swarm takes a replica out of DNS two seconds before it stops it, in which the edge has long left it. */
  async scaleBefore(replicas: number): Promise<void> {
    for (const { service } of this.before) {
      const from = await this.ports.cluster.scale(service, replicas, this.session.signal);
      if (from !== undefined && from !== replicas)
        this.session.log('info', `Service ${service}: ${from} → ${replicas} replicas`);
    }
  }

  /** Until nothing of the version before runs any more. */
  async goneBefore(): Promise<void> {
    for (const { service } of this.before) {
      for (;;) {
        this.session.signal.throwIfAborted();
        const tasks = await this.ports.cluster.tasks(service);
        if (!tasks.some(({ state }) => state === 'running')) break;
        await sleep(POLL_MS, undefined, { signal: this.session.signal });
      }
    }
  }

  /** Sends the requests there; returns once the edge does. `serving`: the new version answers some of them. */
  async shift(
    traffic: Traffic,
    summary: string,
    options: { readonly serving?: boolean; readonly retiring?: readonly Retiring[] } = {},
  ): Promise<void> {
    const { session, ports } = this;
    const retiring = options.retiring ?? session.state.retiring ?? this.base.retiring;
    const current = session.state.traffic ?? this.base.traffic;
    const serving = options.serving ?? true;
    if (JSON.stringify([current, session.state.retiring ?? this.base.retiring]) !== JSON.stringify([traffic, retiring])) {
      const fact = { type: 'traffic_shifted', traffic, retiring, serving, summary, ...session.place() } as const;
      await session.append(fact);
    }
    // Also when nothing is new: the worker before may have died between the two.
    await ports.router.sync();
  }

  /** All requests to the new version. */
  async switchOver(): Promise<void> {
    const { name } = this.desired;
    await this.shift(switched(this.traffic, this.backend()), `All requests go to ${name}`);
  }

  /** Begins a step of the strategy, where it has not begun before. */
  async step(step: number, summary: string): Promise<void> {
    const rollout = this.session.state.rollout;
    if (rollout?.step_started_at !== undefined && rollout.step >= step) return;
    await this.session.append({
      type: 'rollout_step',
      step,
      service: this.desired.name,
      summary,
      ...this.session.place(),
    });
  }

  /** Waits for `promote` or `resume`. */
  async waitForPromotion(step: number, reason: string): Promise<void> {
    await this.watch(async () => {
      const rollout = this.session.state.rollout;
      if ((rollout?.promoted_step ?? -1) >= step || rollout?.promoted_fully) return true;
      await this.pause(reason);
      return false;
    });
  }

  /** A pause of the strategy's own: `resume` and `promote` both end it. */
  async pause(reason: string): Promise<void> {
    const actor = { kind: 'system', name: 'flukedeploy' } as const;
    await this.session.append({ type: 'rollout_paused', actor, reason, at: new Date().toISOString() });
  }

  get edge(): Edge {
    return this.ports.edge;
  }

  get place(): string {
    const { app_name, environment } = this.session.state.identity;
    return placeName(app_name, environment);
  }

  /** What people have said meanwhile: pause, promote, abort. */
  async #listen(): Promise<void> {
    const record = await this.ports.store.find(this.session.record.id);
    if (record) this.session.learn(record.state);
    const aborted = this.session.state.rollout?.aborted;
    if (aborted) throw new DeployError('aborted', `The rollout was aborted: ${aborted.reason}`);
  }

  /** The verdict with what the container left behind; containers and their logs vanish soon, so this is read at once. */
  async #failure(verdict: Extract<Verdict, { kind: 'failed' }>): Promise<DeployError> {
    const evidence = verdict.task
      ? await this.ports.cluster.evidence(verdict.task)
      : { out_of_memory: false, last_lines: [] };
    return toDeployError(verdict, evidence);
  }
}
