/** The log in memory: the LogStore port kept as honestly as PostgreSQL keeps it, and deployments to write into. */
import { matchesPattern } from '../../src/domain/app-pattern.js';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeCursor, encodeCursor } from '../../src/domain/cursor.js';
import { decide, evolve, settle, type DeploymentState, type Fact } from '../../src/domain/deployment.js';
import { DeployError } from '../../src/domain/errors.js';
import { describeFact } from '../../src/domain/fact-log.js';
import { LIMITS } from '../../src/domain/limits.js';
import { LOG_LEVELS, type LogDraft, type LogRow } from '../../src/domain/log-entry.js';
import {
  LogStore,
  type Append,
  type Appended,
  type DeploymentRecord,
  type LogFilter,
  type LogPage,
} from '../../src/domain/ports.js';

interface StoredDeployment {
  readonly created_at: string;
  state: DeploymentState;
  fence: number;
  sequence: number;
}
interface Place {
  readonly position: number;
  readonly gap?: { readonly from: string; readonly to: string };
}

export class MemoryLogStore extends LogStore {
  private readonly deployments = new Map<string, StoredDeployment>();
  private rows: LogRow[] = [];
  private head = 0;
  private floor = 0;
  private latest = '';

  constructor(
    private readonly instance = 'memory/1',
    private epoch = 'm1',
  ) {
    super();
  }

  /** Every call takes a turn of the event loop, as one over a socket does. */
  async append({ deployment_id, fence, items }: Append): Promise<Appended | undefined> {
    await nextTurn();
    const before = this.deployments.get(deployment_id);
    if (before && fence !== undefined && fence !== before.fence) return undefined;

    const numbered: { readonly draft: LogDraft; readonly state: DeploymentState }[] = [];
    let state = before?.state;
    const take = (fact: Fact, stack?: string): DeploymentState => {
      const after = evolve(state, fact);
      if (after === state) return after;
      const draft = describeFact(fact, after);
      numbered.push({ draft: stack ? { ...draft, metadata: { ...draft.metadata, stack } } : draft, state: after });
      return (state = after);
    };
    for (const item of items) {
      if ('fact' in item) for (const fact of settle(take(item.fact, item.stack), item.fact.at)) take(fact);
      else if (state) numbered.push({ draft: item.draft, state });
    }
    if (state === undefined) throw new DeployError('deployment_not_found');

    const deployment = before ?? { created_at: state.requested_at, state, fence: 0, sequence: 0 };
    this.deployments.set(deployment_id, Object.assign(deployment, { state }));
    const rows = numbered.map(({ draft, state: { status, identity } }): LogRow => {
      // As in PostgreSQL, time never runs backwards along the stream.
      this.latest = draft.at > this.latest ? draft.at : this.latest;
      return {
        ...draft,
        at: this.latest,
        deployment_id,
        app_name: identity.app_name,
        environment: identity.environment,
        sequence: ++deployment.sequence,
        cursor: this.cursor(++this.head),
        status,
        instance: this.instance,
      };
    });
    this.rows.push(...rows);
    return { rows, state, decision: decide(state) };
  }

  async read(after: string, filter: LogFilter, limit: number): Promise<LogPage> {
    await nextTurn();
    const { position, gap } = this.placeOf(after);
    return { ...this.page(this.after(position, filter), limit), ...(gap && { gap }) };
  }

  async tail(filter: LogFilter, limit: number): Promise<LogPage> {
    await nextTurn();
    return { rows: this.after(this.floor, filter).slice(-limit), next_cursor: this.cursor(this.head) };
  }

  async query(
    { since, ...filter }: LogFilter & { since?: string },
    { limit, offset, cursor }: { limit: number; offset: number; cursor?: string },
  ): Promise<LogPage & { total: number; total_capped: boolean }> {
    await nextTurn();
    const { position, gap }: Place = cursor === undefined ? { position: this.floor } : this.placeOf(cursor);
    const rows = this.after(position, filter).filter(({ at }) => since === undefined || at >= since);
    return {
      ...this.page(rows.slice(offset), limit),
      total: Math.min(rows.length, LIMITS.counted_entries),
      total_capped: rows.length > LIMITS.counted_entries,
      ...(gap && { gap }),
    };
  }

  async bounds(): Promise<{ beginning: string; head: string }> {
    await nextTurn();
    return { beginning: this.cursor(this.floor), head: this.cursor(this.head) };
  }

  /** What DeploymentStore.find would answer. */
  async find(id: string): Promise<DeploymentRecord | undefined> {
    await nextTurn();
    const deployment = this.deployments.get(id);
    if (deployment === undefined) return undefined;
    const spec = {
      source: { kind: 'image', image: deployment.state.identity.source },
      config: {},
      validation_level: 'basic',
      auto_rollback: true,
      on_conflict: 'queue',
    } as const;
    return { id, state: deployment.state, spec, fence: deployment.fence, created_at: deployment.created_at };
  }

  /** A worker takes the deployment over: entries under an older fence are refused from now on. */
  claim(deploymentId: string): number {
    const deployment = this.deployments.get(deploymentId);
    if (deployment === undefined) throw new DeployError('deployment_not_found');
    return ++deployment.fence;
  }

  /** Forgets the oldest entries; `kept` newest ones stay. */
  prune(kept: number): void {
    this.floor = Math.max(this.floor, this.head - kept);
    this.rows = this.rows.slice(this.rows.length - (this.head - this.floor));
  }

  /** As after a restore: the same numbers now mean other entries. */
  beginAnew(epoch: string): void {
    this.deployments.clear();
    Object.assign(this, { epoch, rows: [], head: 0, floor: 0, latest: '' });
  }

  private after(position: number, filter: LogFilter): LogRow[] {
    return this.rows.slice(position - this.floor).filter((row) => passes(row, filter));
  }

  /** A full page ends at its last row; a page with room has looked at everything up to the head. */
  private page(rows: readonly LogRow[], limit: number): LogPage {
    const taken = rows.slice(0, limit);
    const last = taken.at(-1);
    return { rows: taken, next_cursor: taken.length === limit && last ? last.cursor : this.cursor(this.head) };
  }

  private placeOf(cursor: string): Place {
    const { epoch, position } = decodeCursor(cursor);
    if (epoch === this.epoch && position >= this.floor && position <= this.head) return { position };
    return { position: this.floor, gap: { from: cursor, to: this.cursor(this.floor) } };
  }

  private cursor(position: number): string {
    return encodeCursor({ epoch: this.epoch, position });
  }
}

function passes(row: LogRow, { app_name, apps, deployment_id, level, event_type, phase }: LogFilter): boolean {
  const is = (wanted: string | undefined, value: string | undefined): boolean =>
    wanted === undefined || wanted === value;
  return (
    is(app_name, row.app_name) &&
    is(deployment_id, row.deployment_id) &&
    is(event_type, row.event_type) &&
    is(phase, row.phase) &&
    (level === undefined || LOG_LEVELS.indexOf(row.level) >= LOG_LEVELS.indexOf(level)) &&
    (apps === undefined || apps.some((app) => matchesPattern(row.app_name, app)))
  );
}
