/** One version on its way into the traffic: its replicas, its gate, and where the requests go. The strategies are told with it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isExclusive, placeName, type AppConfig } from '../../../domain/app-spec.js';
import { isDismissed, isServing, judge, type Verdict } from '../../../domain/convergence.js';
import type { Base } from '../../../domain/deployment.js';
import { DeployError } from '../../../domain/errors.js';
import type { DesiredService, Edge, TaskView } from '../../../domain/ports.js';
import { isSame, switched } from '../../../domain/rollout-plan.js';
import type { Backend, Retiring, Traffic } from '../../../domain/traffic.js';
import type { DeploymentSession } from '../deployment-session.js';
import { addressesOf, CanaryReplicas } from './canary-replicas.js';
import type { HealthGate } from './health-gate.js';
import { Patience } from './patience.js';
import { failureOf, throwIfFallen, throwIfTakenBack } from './rollout-failures.js';
import type { RolloutPorts } from './rollout-ports.js';

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
  readonly #patience: Patience;
  readonly #canary: CanaryReplicas;
  /** Tasks that Swarm has told to stop: however they end, it is not their fault. */
  readonly #dismissed = new Set<string>();
  /** Replicas of which it was said that they do not answer. */
  readonly #missed = new Set<string>();
  /** When each replica was first seen running, by the clock. */
  readonly #begun = new Map<string, number>();
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
  ) {
    this.#patience = new Patience(session, { signal: session.signal });
    this.#canary = new CanaryReplicas(this.wanted);
  }

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

  /** Whether all requests go to the new version: a worker before this one came that far. */
  get hasSwitched(): boolean {
    const { traffic } = this.session.state;
    return traffic !== undefined && isSame(traffic, switched(this.traffic, this.backend()));
  }

  /** Milliseconds of a clock that stands still while the rollout does: deadlines go by it. */
  clock(): number {
    return this.#patience.clock();
  }

  /** The new version as a place for requests; with addresses, only those replicas. */
  backend(ready?: readonly TaskView[]): Backend {
    const { name: service, deployment_id, release } = this.desired;
    const addresses = ready && addressesOf(ready);
    return { service, deployment_id, release, port: this.config.port, ...(addresses && { addresses }) };
  }

  /** Nothing can be proved or switched without it. @throws DeployError `edge_unavailable` */
  async edgeRuns(): Promise<void> {
    if (this.config.port > 0) await this.ports.edge.ensure();
  }

  /** Looks at the new version, and asks its replicas how they are. @throws DeployError when it has failed or was aborted */
  async look(): Promise<Look> {
    const { session } = this;
    session.signal.throwIfAborted();
    await this.#listen();
    this.#patience.look();
    return this.#patience.wait(() => this.#look());
  }

  async #look(): Promise<Look> {
    const { session, ports, desired } = this;
    const [service, tasks] = await Promise.all([
      ports.cluster.findService(desired.name),
      ports.cluster.tasks(desired.name),
    ]);
    const fresh = service?.replicas ?? 0;
    const since_ms = performance.now() - this.#began;
    const verdict = judge({
      service,
      tasks: this.#answerable(tasks),
      replicas: fresh,
      since_ms,
      adopted: this.adopted,
    });
    if (verdict.kind === 'failed') throw await failureOf(verdict, ports.cluster);
    if (verdict.kind === 'waiting' && verdict.reason !== this.#told) session.log('info', (this.#told = verdict.reason));
    const serving = tasks.filter(isServing);
    for (const { id } of serving) if (!this.#begun.has(id)) this.#begun.set(id, this.clock());
    await this.gate.look(serving);
    for (const { id, slot, node } of serving.filter((task) => !this.#missed.has(task.id) && this.gate.isSilent(task))) {
      this.#missed.add(id);
      const where = `replica ${slot} on ${node}`;
      session.log('warn', `Nothing comes back from ${where}: where the node is lost, Swarm runs it elsewhere`);
    }
    const running = serving.filter((task) => !this.gate.isSilent(task));
    await throwIfFallen(this.gate, running, ports.cluster);
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

  /**
   * Repeats `step` until it answers true. While the rollout is paused the version is watched, and nothing moves on; a canary's share
   * still finds the replicas that are there.
   */
  async watch(step: (look: Look) => Promise<boolean> | boolean, { whilePaused = false } = {}): Promise<void> {
    for (;;) {
      const look = await this.look();
      const moved = this.#canary.follow(this.session.state.traffic, look, performance.now());
      if (moved) await this.shift(moved.traffic, moved.summary);
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
    let since = this.clock();
    await this.watch((look) => {
      if (look.ready.length > ready.length) since = this.clock();
      ready = look.ready;
      if (ready.length >= count && look.running.length === look.fresh) return true;
      if (this.isOverdue(look, since)) throw this.tooLate(look, count);
      return false;
    });
    return ready;
  }

  /** Whether a replica has had its full time since it began and since another one passed, and has not passed itself. */
  isOverdue({ running }: Look, since: number): boolean {
    const begun = ({ id }: TaskView): number => Math.max(since, this.#begun.get(id) ?? 0);
    const late = this.clock() - this.gate.gate.check.deadline_ms;
    return running.some((task) => !this.gate.hasPassed(task) && begun(task) < late);
  }

  tooLate({ ready, running }: Look, count: number): DeployError {
    const message = `${ready.length} of ${count} replicas became healthy within ${this.gate.gate.check.deadline_ms / 1000} s.`;
    return new DeployError('health_check_failed', message, { evidence: this.gate.evidence(running) });
  }

  /** Runs this many replicas of the new version: the service is made where there is none. */
  async scaleFresh(replicas: number): Promise<void> {
    const { session, desired, ports } = this;
    if (!this.adopted) {
      const change = await this.#patience.wait(() => ports.cluster.create({ ...desired, replicas }, session.signal));
      if (change === 'created') {
        session.log(
          'info',
          `Service ${desired.name} created: ${desired.image}, ${replicas} of ${this.wanted} replicas`,
        );
        return;
      }
    }
    const from = await this.#patience.wait(() => ports.cluster.scale(desired.name, replicas, session.signal));
    if (from !== undefined && from !== replicas)
      session.log('info', `Service ${desired.name}: ${from} → ${replicas} replicas`);
  }

  /** Replicas of the version before that Swarm is told to run. */
  async replicasBefore(): Promise<number> {
    const { cluster } = this.ports;
    const services = await this.#patience.wait(() =>
      Promise.all(this.before.map(({ service }) => cluster.findService(service))),
    );
    return services.reduce((sum, service) => sum + (service?.replicas ?? 0), 0);
  }

  /** Swarm takes a replica out of DNS two seconds before it stops it, in which the edge has long left it. */
  async scaleBefore(replicas: number): Promise<void> {
    for (const { service } of this.before) {
      const from = await this.#patience.wait(() => this.ports.cluster.scale(service, replicas, this.session.signal));
      if (from !== undefined && from !== replicas)
        this.session.log('info', `Service ${service}: ${from} → ${replicas} replicas`);
    }
  }

  /** Until nothing of the version before runs any more. */
  async goneBefore(): Promise<void> {
    for (const { service } of this.before) {
      for (;;) {
        this.session.signal.throwIfAborted();
        const tasks = await this.#patience.wait(() => this.ports.cluster.tasks(service));
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
    if (!isSame([current, session.state.retiring ?? this.base.retiring], [traffic, retiring])) {
      const fact = { type: 'traffic_shifted', traffic, retiring, serving, summary, ...session.place() } as const;
      await session.append(fact);
    }
    // Also when nothing is new: the worker before may have died between the two.
    await this.#patience.wait(() => ports.router.sync());
  }

  /** The whole of the new version, proved, and all requests to it. */
  async takeOver(): Promise<void> {
    await this.scaleFresh(this.wanted);
    await this.gated(this.wanted);
    await this.switchOver();
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
    throwIfTakenBack(this.session.state);
  }
}
