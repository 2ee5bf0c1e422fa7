/** Baseline of deploy, strategies and rollback: a Swarm service as `docker service create`, `update` and `update --rollback` leave it. */
import type Docker from 'dockerode';
import { until } from '../../test/support/until.ts';
import { now } from '../support/benchmark.ts';

export interface RawApp {
  readonly name: string;
  readonly image: string;
  readonly replicas: number;
  readonly command?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly network?: string;
  /** What each task may take at most. */
  readonly memory_mb?: number;
  /** In place of the image's own. */
  readonly health?: { readonly test: readonly string[]; readonly interval_ms: number; readonly retries: number };
  /** How long Swarm watches each new task. */
  readonly monitor_ms: number;
}

interface Inspected {
  readonly Version: { readonly Index: number };
  readonly Spec: Docker.ServiceSpec;
}

interface Task {
  readonly Spec: { readonly ContainerSpec: { readonly Image: string } };
  readonly Status: { readonly State: string };
}

const MILLISECOND = 1_000_000;

export class RawService {
  readonly #docker: Docker;
  readonly #name: string;

  constructor(docker: Docker, name: string) {
    this.#docker = docker;
    this.#name = name;
  }

  /** Creates the service or updates it; answers the moment at which it was asked. */
  async apply(app: RawApp): Promise<number> {
    const current = await this.#inspect().catch(() => undefined);
    const asked = now();
    if (current === undefined) await this.#docker.createService({}, rawSpec(app));
    else await this.#service.update({ ...rawSpec(app), version: current.Version.Index });
    return asked;
  }

  /** What `docker service update --rollback` does; answers the moment at which it was asked. */
  async rollBack(): Promise<number> {
    const { Version, Spec } = await this.#inspect();
    const asked = now();
    await this.#service.update({ _query: { version: Version.Index, rollback: 'previous' }, _body: Spec });
    return asked;
  }

  /** Waits until so many tasks of the image run, which with a health check means: are healthy. */
  async runs(image: string, count = 1): Promise<void> {
    await until(
      async () => {
        const filters = { service: [this.#name], 'desired-state': ['running'] };
        const tasks = (await this.#docker.listTasks({ filters })) as Task[];
        const running = tasks.filter(
          ({ Spec, Status }) => Spec.ContainerSpec.Image === image && Status.State === 'running',
        );
        return running.length >= count;
      },
      `${count} tasks of ${this.#name} run ${image}`,
      60_000,
    );
  }

  get #service(): Docker.Service {
    return this.#docker.getService(this.#name);
  }

  async #inspect(): Promise<Inspected> {
    return (await this.#service.inspect()) as Inspected;
  }
}

function rawSpec({
  name,
  image,
  replicas,
  command,
  env,
  network,
  memory_mb,
  health,
  monitor_ms,
}: RawApp): Docker.ServiceSpec {
  return {
    Name: name,
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        Init: true,
        ...(command && { Args: [...command] }),
        Env: Object.entries(env ?? {}).map(([key, value]) => `${key}=${value}`),
        ...(health && {
          HealthCheck: {
            Test: [...health.test],
            Interval: health.interval_ms * MILLISECOND,
            Timeout: 2_000 * MILLISECOND,
            Retries: health.retries,
            StartPeriod: MILLISECOND,
          },
        }),
      },
      ...(memory_mb !== undefined && { Resources: { Limits: { MemoryBytes: memory_mb * 1024 * 1024 } } }),
      RestartPolicy: { Condition: 'any', Delay: 1_000 * MILLISECOND },
      ...(network !== undefined && { Networks: [{ Target: network }] }),
    },
    Mode: { Replicated: { Replicas: replicas } },
    UpdateConfig: {
      Parallelism: 1,
      Order: 'start-first',
      Monitor: monitor_ms * MILLISECOND,
      FailureAction: 'rollback',
      MaxFailureRatio: 0,
    },
    RollbackConfig: { Parallelism: 0, Order: 'start-first', Monitor: 1_000 * MILLISECOND },
    ...(network !== undefined && { EndpointSpec: { Mode: 'dnsrr' } }),
  };
}
