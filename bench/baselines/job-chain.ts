/** Baseline of phases.bench: BullMQ alone. Each of five jobs adds the next, and nothing else is kept anywhere. */
import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';

interface Step {
  readonly chain: string;
  readonly step: number;
}

const NAME = 'chain';
const STEPS = 5;
const TRACELESS = { removeOnComplete: true, removeOnFail: true };

export class JobChain {
  readonly #queue: Queue<Step>;
  readonly #worker: Worker<Step>;
  readonly #ends = new Map<string, () => void>();

  constructor(producer: Redis, consumer: Redis, concurrency: number) {
    this.#queue = new Queue(NAME, { connection: producer });
    this.#worker = new Worker<Step>(NAME, ({ data }) => this.#work(data), { connection: consumer, concurrency });
  }

  /** Runs one chain to its end. */
  async run(chain: string): Promise<void> {
    const end = new Promise<void>((resolve) => this.#ends.set(chain, resolve));
    await this.#add({ chain, step: 1 });
    await end;
  }

  async close(): Promise<void> {
    await this.#worker.close();
    await this.#queue.close();
  }

  async #work({ chain, step }: Step): Promise<void> {
    if (step < STEPS) {
      await this.#add({ chain, step: step + 1 });
    } else {
      this.#ends.get(chain)?.();
      this.#ends.delete(chain);
    }
  }

  async #add(step: Step): Promise<void> {
    await this.#queue.add(`step ${step.step}`, step, { jobId: `${step.chain}_${step.step}`, ...TRACELESS });
  }
}
