/** The health gate: replicas prove that they work, from where the edge stands, before they get requests and while they do. */
import { DEFAULT_CONFIG, DEFAULT_HEALTH_CHECK, type AppConfig, type HealthCheck } from '../../../domain/app-spec.js';
import { createHealthCheckLog } from '../../../domain/log-entry.js';
import type { Cluster, Edge, ImageView, ProbeResult, TaskView } from '../../../domain/ports.js';
import type { DeploymentSession } from '../deployment-session.js';

/** Without any health check a replica must accept connections for this long after it got requests. */
const UNCHECKED_BAKE_MS = 3_000;
/** A program that serves nothing counts as well when it has run for this long. */
const STEADY_MS = 2_000;
/** A replica that was healthy may fail once. */
const FAILURES_TOO_MANY = 2;
/** A pause has no end of its own: so often at most a replica that stays healthy is told of in it. */
const PAUSED_ENTRY_MS = 60_000;
/** Swarm needs 15 s to notice that a node is lost, and then runs its replicas elsewhere. */
export const NODE_LOSS_MS = 25_000;

/** How a replica is asked; `container` leaves it to the image's own HEALTHCHECK, after which only Docker says that it runs. */
export type Gate =
  | { readonly kind: 'http' | 'tcp'; readonly port: number; readonly check: HealthCheck }
  | { readonly kind: 'container' | 'steady'; readonly check: HealthCheck };

export function gateOf({ health_check: check, port }: AppConfig, image: ImageView | undefined): Gate {
  // A check may be for what the edge does not route.
  const checked = check?.port ?? (port > 0 ? port : DEFAULT_CONFIG.port);
  if (check) return { kind: check.path === undefined ? 'tcp' : 'http', port: checked, check };
  if (image?.has_healthcheck) return { kind: 'container', check: DEFAULT_HEALTH_CHECK };
  const unchecked = { ...DEFAULT_HEALTH_CHECK, bake_ms: UNCHECKED_BAKE_MS };
  return port > 0 ? { kind: 'tcp', port, check: unchecked } : { kind: 'steady', check: unchecked };
}

interface Standing {
  readonly seen: number;
  asked: number;
  /** When an entry last told how it is. */
  told: number;
  successes: number;
  failures: number;
  passed: boolean;
  /** Since when nothing at all comes back from where it runs. */
  silent?: number | undefined;
  /** What the last failing probe said. */
  said?: string;
}

export class HealthGate {
  readonly #standings = new Map<string, Standing>();

  constructor(
    private readonly session: Pick<DeploymentSession, 'signal' | 'isPaused' | 'place' | 'emit'>,
    readonly gate: Gate,
    private readonly ports: {
      readonly cluster: Pick<Cluster, 'address'>;
      readonly edge: Pick<Edge, 'enabled' | 'probes'>;
    },
    /** So long a replica that falls silent may be one whose node is lost, which is not its version's fault. */
    private readonly silence_ms: number,
  ) {}

  /** Asks every replica whose turn it is. */
  async look(tasks: readonly TaskView[], signal: AbortSignal = this.session.signal): Promise<void> {
    const now = performance.now();
    const due = tasks.filter(({ id }) => {
      const standing = this.#standings.get(id) ?? {
        seen: now,
        asked: -Infinity,
        told: -Infinity,
        successes: 0,
        failures: 0,
        passed: false,
      };
      this.#standings.set(id, standing);
      return now - standing.asked >= this.gate.check.interval_ms;
    });
    await Promise.all(due.map((task) => this.#ask(task, signal)));
  }

  /** Whether the replica has been healthy often enough in a row. */
  hasPassed({ id }: TaskView): boolean {
    return this.#standings.get(id)?.passed ?? false;
  }

  /** Whether a replica that had passed is healthy no longer. */
  hasFallen(task: TaskView): boolean {
    const standing = this.#standings.get(task.id);
    return standing !== undefined && standing.passed && standing.failures >= FAILURES_TOO_MANY && !this.isSilent(task);
  }

  /** Whether a replica that had passed does not answer, and Swarm may not have noticed yet that its node is lost. */
  isSilent({ id }: TaskView): boolean {
    const { passed = false, failures = 0, silent } = this.#standings.get(id) ?? {};
    return (
      passed && failures >= FAILURES_TOO_MANY && silent !== undefined && performance.now() - silent < this.silence_ms
    );
  }

  /** What the replicas last said that are not well. */
  evidence(tasks: readonly TaskView[]): string[] {
    return tasks.flatMap((task) => {
      const standing = this.#standings.get(task.id);
      return standing && standing.failures > 0 ? [`${nameOf(task)}: ${standing.said ?? 'no answer'}`] : [];
    });
  }

  async #ask(task: TaskView, signal: AbortSignal): Promise<void> {
    const standing = this.#standings.get(task.id);
    if (standing === undefined) return;
    standing.asked = performance.now();
    const { gate } = this;
    if (!('port' in gate)) {
      this.#trust(task, standing);
      return;
    }
    const { cluster, edge } = this.ports;
    const address = edge.enabled ? task.address : await cluster.address(task);
    if (address === undefined) {
      this.#trust(task, standing, `node ${task.node} is out of reach from here`);
      return;
    }
    const { healthy, reason, http_status } = await this.#probe(address, gate, standing, signal);
    standing.silent = healthy || http_status !== undefined ? undefined : (standing.silent ?? standing.asked);
    if (!healthy) standing.said = reason ?? 'no answer';
    standing.successes = healthy ? standing.successes + 1 : 0;
    standing.failures = healthy ? 0 : standing.failures + 1;
    standing.passed ||= standing.successes >= gate.check.healthy_threshold;
  }

  /** Docker lets a task run only once its HEALTHCHECK has passed; without one, running on is all that can be asked. */
  #trust(task: TaskView, standing: Standing, because = ''): void {
    const isContainer = this.gate.kind === 'container';
    if (standing.passed || (!isContainer && performance.now() - standing.seen < STEADY_MS)) return;
    standing.passed = true;
    const seen = isContainer ? 'HEALTHCHECK of the image' : `it has run for ${STEADY_MS / 1000} s`;
    const reason = because ? `${because}: ${seen}` : seen;
    this.session.emit(createHealthCheckLog({ ...this.session.place(), target: nameOf(task), healthy: true, reason }));
  }

  async #probe(
    address: string,
    { kind, port, check }: Extract<Gate, { port: number }>,
    standing: Standing,
    signal: AbortSignal,
  ): Promise<ProbeResult> {
    const { edge } = this.ports;
    const target = kind === 'http' ? `http://${address}:${port}${check.path ?? '/'}` : `${address}:${port}`;
    const result =
      kind === 'http'
        ? await edge.probes.http(target, check.timeout_ms, signal)
        : await edge.probes.tcp(address, port, check.timeout_ms, signal);
    if (!this.#isKnown(standing, result)) {
      standing.told = performance.now();
      this.session.emit(
        createHealthCheckLog({
          ...this.session.place(),
          target: kind === 'http' ? target : `tcp://${target}`,
          ...result,
        }),
      );
    }
    return result;
  }

  /** In a pause the log need not say again and again that a replica is as healthy as it was. */
  #isKnown({ successes, told }: Standing, { healthy }: ProbeResult): boolean {
    return this.session.isPaused && healthy && successes > 0 && performance.now() - told < PAUSED_ENTRY_MS;
  }
}

function nameOf(task: TaskView): string {
  return `replica ${task.slot}`;
}
