/** What FlukeBase holds: every effect of the bodies that it has accepted, once each, in the order of their arrival. */
import { createHash } from 'node:crypto';
import type { NewTask, SyncedEntry, SyncedSummary, TaskChange, TaskStatus } from './flukebase-bodies.ts';

export interface Reply {
  readonly status: number;
  readonly json: object;
}

export interface HeldDeployment {
  /** Every summary that came, the newest last. */
  readonly summaries: SyncedSummary[];
  /** In the order of their first arrival, each once. */
  readonly entries: SyncedEntry[];
  /** When that was, in milliseconds since 1970. */
  readonly arrived_at: number[];
}

export interface HeldTask {
  readonly id: number;
  readonly task_id: string;
  readonly status: TaskStatus;
  /** What came for it, the creation first. */
  readonly changes: readonly TaskChange[];
}

/** What came first of all things that have an effect. */
export type Arrival = `deployment ${string}` | `task ${string}` | `task change ${string}` | `log ${string}`;

export class FlukeBaseLedger {
  readonly deployments = new Map<string, HeldDeployment>();
  /** By `task_id`. */
  readonly tasks = new Map<string, HeldTask>();
  readonly arrivals: Arrival[] = [];
  /** How often each entry came, under whatever key. */
  readonly deliveries = new Map<string, number>();
  /** Entries that came again with another content: there must be none. */
  readonly contradictions: string[] = [];
  readonly #answered = new Map<string, { readonly body: string; readonly reply: Reply }>();
  readonly #contents = new Map<string, string>();

  /** The same key and body get the first answer again and have no second effect; refusals may be tried again. */
  once(key: string, route: string, body: string, apply: () => Reply): Reply {
    const print = hash(`${route}\n${body}`);
    const before = this.#answered.get(key);
    if (before?.body === print) return before.reply;
    if (before !== undefined) return refusal(422, 'idempotency_key_reused', 'the key came with another body before');
    const reply = apply();
    if (reply.status < 300) this.#answered.set(key, { body: print, reply });
    return reply;
  }

  /** As a person makes it on the team's board. */
  addTask(task_id: string, description = task_id): void {
    this.createTask({ task_id, description });
  }

  createTask(task: NewTask): Reply {
    if (this.tasks.has(task.task_id)) return refusal(409, 'conflict', `there is a task ${task.task_id}`);
    const { task_id, status = 'pending' } = task;
    const held = { id: this.tasks.size + 1, task_id, status, changes: [task] };
    this.tasks.set(task.task_id, held);
    this.arrivals.push(`task ${task.task_id}`);
    return { status: 201, json: { task: shown(held) } };
  }

  /** @param id the task's own or its number here */
  changeTask(id: string, change: TaskChange): Reply {
    const task = this.tasks.get(id) ?? [...this.tasks.values()].find((held) => String(held.id) === id);
    if (task === undefined) return refusal(404, 'not_found', `there is no task ${id}`);
    const held = { ...task, status: change.status ?? task.status, changes: [...task.changes, change] };
    this.tasks.set(task.task_id, held);
    this.arrivals.push(`task change ${task.task_id}`);
    return { status: 200, json: { task: shown(held) } };
  }

  takeSummary(summary: SyncedSummary): Reply {
    const held = this.deployments.get(summary.deployment_id) ?? { summaries: [], entries: [], arrived_at: [] };
    held.summaries.push(summary);
    this.deployments.set(summary.deployment_id, held);
    this.arrivals.push(`deployment ${summary.deployment_id}`);
    return { status: held.summaries.length === 1 ? 201 : 200, json: { deployment_id: summary.deployment_id } };
  }

  knows(entry: SyncedEntry): boolean {
    return this.deployments.has(entry.flukedeploy_metadata.deployment_id);
  }

  /** Its deployment must be known. */
  takeEntry(entry: SyncedEntry): void {
    const { id, flukedeploy_metadata } = entry;
    this.deliveries.set(id, (this.deliveries.get(id) ?? 0) + 1);
    const content = hash(JSON.stringify(entry));
    const before = this.#contents.get(id);
    if (before === content) return;
    if (before !== undefined) {
      this.contradictions.push(id);
      return;
    }
    this.#contents.set(id, content);
    const deployment = this.deployments.get(flukedeploy_metadata.deployment_id)!;
    deployment.entries.push(entry);
    deployment.arrived_at.push(Date.now());
    this.arrivals.push(`log ${id}`);
  }
}

export function refusal(status: number, error: string, message: string, errors?: readonly string[]): Reply {
  return { status, json: { error, message, ...(errors && { errors }) } };
}

function shown({ changes: _, ...task }: HeldTask): object {
  return task;
}

function hash(content: string): string {
  return createHash('sha256').update(content).digest('base64');
}
