/** What the log tells of the probes, by a clock that only the test moves. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { at } from '../../../../test/support/deployment-fixtures.js';
import { DEFAULT_HEALTH_CHECK } from '../../../domain/app-spec.js';
import type { LogDraft } from '../../../domain/log-entry.js';
import type { Probes, TaskView } from '../../../domain/ports.js';
import { HealthGate } from './health-gate.js';

const INTERVAL_MS = DEFAULT_HEALTH_CHECK.interval_ms;

const replica = (slot: number): TaskView => ({
  id: `task-${slot}`,
  slot,
  node: 'one',
  deployment_id: 'dep-1',
  state: 'running',
  desired_state: 'running',
  error: '',
  message: '',
  address: `10.0.0.${slot}`,
});

/** Replicas that are asked every second; those in `ill` fail. */
class Course {
  readonly ill = new Set<number>();
  readonly #told: LogDraft[] = [];
  readonly session = {
    isPaused: false,
    signal: new AbortController().signal,
    place: () => ({ at, phase: 'deploy', attempt: 1 }) as const,
    emit: (draft: LogDraft) => void this.#told.push(draft),
  };
  readonly #gate: HealthGate;

  constructor(private readonly tasks: readonly TaskView[]) {
    const http = async (url: string) => {
      const healthy = !tasks.some(({ slot, address }) => this.ill.has(slot) && url.includes(`${address}:`));
      return { healthy, http_status: healthy ? 200 : 503, duration_ms: 1, ...(!healthy && { reason: '503' }) };
    };
    const ports = {
      cluster: { address: async () => undefined },
      edge: { enabled: true, probes: { http } as unknown as Probes },
    };
    const check = { ...DEFAULT_HEALTH_CHECK, path: '/' };
    this.#gate = new HealthGate(this.session, { kind: 'http', port: 80, check }, ports, 0);
  }

  /** Asks so many times, and answers what the log was told: of each replica and probe, whether it was healthy. */
  async probes(count: number): Promise<unknown[]> {
    this.#told.length = 0;
    for (let asked = 0; asked < count; asked++) {
      await this.#gate.look(this.tasks);
      jest.advanceTimersByTime(INTERVAL_MS);
    }
    return this.#told.map(({ metadata }) => metadata?.healthy);
  }
}

describe('the entries of the probes', () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('are one for each while the rollout goes on', async () => {
    const course = new Course([replica(1)]);
    expect(await course.probes(90)).toHaveLength(90);
  });

  it('are one a minute and replica in a pause, and again one for each after it', async () => {
    const course = new Course([replica(1), replica(2)]);
    expect(await course.probes(1)).toEqual([true, true]);
    course.session.isPaused = true;
    expect(await course.probes(59)).toEqual([]);
    expect(await course.probes(1)).toEqual([true, true]);
    expect(await course.probes(3_600)).toHaveLength(2 * 60);
    course.session.isPaused = false;
    expect(await course.probes(3)).toHaveLength(6);
  });

  it('tell of a replica that begins in a pause, of every change, and of every failure', async () => {
    const course = new Course([replica(1)]);
    course.session.isPaused = true;
    expect(await course.probes(10)).toEqual([true]);
    course.ill.add(1);
    expect(await course.probes(3)).toEqual([false, false, false]);
    course.ill.clear();
    expect(await course.probes(10)).toEqual([true]);
  });

  it('tell of each replica by itself', async () => {
    const course = new Course([replica(1), replica(2)]);
    course.session.isPaused = true;
    await course.probes(1);
    course.ill.add(2);
    expect(await course.probes(2)).toEqual([false, false]);
  });
});
