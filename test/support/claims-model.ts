/** The commands of the model test: what people, workers and misfortune do to deployments, and who may write afterwards. */
import { deepStrictEqual, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { decide } from '../../src/domain/deployment.js';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import type { OnConflict } from '../../src/domain/app-spec.js';
import type { Claim } from '../../src/domain/ports.js';
import { isFinal } from '../../src/domain/phases.js';
import type { StoreProcess } from './store-process.js';

export interface Model {
  readonly ids: string[];
  /** Every claim that a living worker remembers, however old it is. */
  claims: { readonly worker: number; readonly claim: Claim }[];
  /** Whose claim of the deployment is the last one and has not been given back: nobody else may write under a fence. */
  readonly holders: Map<string, Claim>;
}

/** How a worker ends a phase. */
type Outcome = 'succeed' | 'retryable' | 'permanent' | 'release';

abstract class Command implements fc.AsyncCommand<Model, StoreProcess> {
  /** `pick` chooses among what there is at the moment of the run. */
  constructor(protected readonly pick: number) {}

  abstract check(model: Readonly<Model>): boolean;
  abstract run(model: Model, stores: StoreProcess): Promise<void>;

  toString(): string {
    return `${this.constructor.name}(${Object.values(this).join(', ')})`;
  }
}

/** Something is done with one of the deployments. */
abstract class DeploymentCommand extends Command {
  check({ ids }: Readonly<Model>): boolean {
    return ids.length > 0;
  }

  protected id({ ids }: Model): string {
    return chosen(ids, this.pick);
  }
}

/** A worker writes under a claim that it remembers. Only `fresh` ones are sure to count; any other may be old. */
abstract class ClaimCommand extends Command {
  constructor(
    pick: number,
    private readonly fresh: boolean,
  ) {
    super(pick);
  }

  check(model: Readonly<Model>): boolean {
    return this.candidates(model).length > 0;
  }

  async run(model: Model, stores: StoreProcess): Promise<void> {
    const claim = chosen(this.candidates(model), this.pick);
    const before = await stores.log.bounds();
    const written = await this.write(claim, stores);
    if (isHeld(claim, model)) {
      ok(written, 'who holds the phase may write');
      if (this.givesBack) model.holders.delete(claim.record.id);
    } else {
      ok(!written, 'nobody writes under a stale fence');
      deepStrictEqual(await stores.log.bounds(), before, 'a refused write leaves nothing behind');
    }
  }

  protected abstract get givesBack(): boolean;
  protected abstract write(claim: Claim, stores: StoreProcess): Promise<boolean>;

  private candidates(model: Readonly<Model>): Claim[] {
    const remembered = model.claims.map(({ claim }) => claim);
    return this.fresh ? remembered.filter((claim) => isHeld(claim, model)) : remembered;
  }
}

class Submit extends Command {
  constructor(
    pick: number,
    private readonly onConflict: OnConflict,
  ) {
    super(pick);
  }

  check({ ids }: Readonly<Model>): boolean {
    return ids.length < 6;
  }

  async run({ ids }: Model, stores: StoreProcess): Promise<void> {
    const app_name = chosen(['one', 'two'], this.pick);
    ids.push((await stores.start({ app_name, on_conflict: this.onConflict })).id);
  }
}

/** What every process does again and again. */
class Reconcile extends Command {
  check(): boolean {
    return true;
  }

  async run({ ids }: Model, stores: StoreProcess): Promise<void> {
    for (const { id } of await stores.claims.superseded()) await stores.cancel(id);
    for (const { deployment_id } of await stores.claims.startWaiting()) {
      // A rollback that nobody has asked for by hand.
      if (!ids.includes(deployment_id)) ids.push(deployment_id);
    }
  }
}

/** A worker takes what is due, or tries to take what may not be had. */
class ClaimPhase extends DeploymentCommand {
  constructor(
    pick: number,
    private readonly worker: number,
    private readonly dueOnly: boolean,
  ) {
    super(pick);
  }

  async run(model: Model, stores: StoreProcess): Promise<void> {
    const due = this.dueOnly ? await stores.claims.due(100) : [];
    const id = due.length > 0 ? chosen(due, this.pick).deployment_id : this.id(model);
    const decision = decide((await stores.record(id)).state);
    const [row] = await stores.database.query<{ held: boolean; due: boolean }>(
      `select coalesce(lease_until > clock_timestamp(), false) as held, coalesce(due_at <= clock_timestamp(), false) as due
       from deployments where id = $1`,
      [id],
    );
    const claim = await stores.claimNext(id);
    if (claim !== undefined) {
      ok(!row?.held && decision.kind === 'run', 'only what is next and free can be claimed');
      model.holders.set(id, claim);
      model.claims.push({ worker: this.worker, claim });
    } else {
      const gaveUp = isFinal((await stores.record(id)).state.status);
      if (gaveUp) model.holders.delete(id);
      ok(gaveUp || decision.kind !== 'run' || row?.held || !row?.due, 'what is due and free can be claimed');
    }
  }
}

class Commit extends ClaimCommand {
  constructor(
    pick: number,
    fresh: boolean,
    private readonly outcome: Outcome,
  ) {
    super(pick, fresh);
  }

  protected get givesBack(): boolean {
    return true;
  }

  protected async write(claim: Claim, stores: StoreProcess): Promise<boolean> {
    return (await this.commit(claim, stores)) !== undefined;
  }

  private commit(claim: Claim, stores: StoreProcess): Promise<unknown> {
    switch (this.outcome) {
      case 'succeed':
        return stores.succeed(claim, { image: `image-of-${claim.record.id}` });
      case 'retryable':
        return stores.fail(claim, 'registry_unreachable');
      case 'permanent':
        return stores.fail(claim, 'build_failed');
      case 'release':
        return stores.release(claim);
    }
  }
}

class WriteLine extends ClaimCommand {
  protected get givesBack(): boolean {
    return false;
  }

  protected async write({ record, fence }: Claim, stores: StoreProcess): Promise<boolean> {
    const draft = createDeploymentLog({ at: new Date().toISOString(), message: 'a line' });
    return (await stores.log.append({ deployment_id: record.id, fence, items: [{ draft }] })) !== undefined;
  }
}

/** The requests go to the new version, or back. */
class Shift extends ClaimCommand {
  constructor(
    pick: number,
    fresh: boolean,
    private readonly serving: boolean,
  ) {
    super(pick, fresh);
  }

  protected get givesBack(): boolean {
    return false;
  }

  protected write(claim: Claim, stores: StoreProcess): Promise<boolean> {
    return stores.shift(claim, { serving: this.serving }).then(
      () => true,
      () => false,
    );
  }
}

/** What people say about a rollout, at any moment. */
class Say extends DeploymentCommand {
  constructor(
    pick: number,
    private readonly word: 'rollout_paused' | 'rollout_resumed' | 'rollout_promoted' | 'rollout_aborted',
  ) {
    super(pick);
  }

  async run(model: Model, stores: StoreProcess): Promise<void> {
    const actor = { kind: 'admin', name: 'admin' } as const;
    const fact = { type: this.word, at: new Date().toISOString(), actor, reason: '', full: false } as const;
    await stores.log.append({ deployment_id: this.id(model), items: [{ fact }] });
  }
}

class Heartbeat extends ClaimCommand {
  protected get givesBack(): boolean {
    return false;
  }

  protected async write(claim: Claim, stores: StoreProcess): Promise<boolean> {
    return (await stores.claims.heartbeat(claim)) !== 'lost';
  }
}

class Die extends Command {
  check({ claims }: Readonly<Model>): boolean {
    return claims.some(({ worker }) => worker === this.pick);
  }

  async run(model: Model): Promise<void> {
    model.claims = model.claims.filter(({ worker }) => worker !== this.pick);
  }
}

class ExpireLease extends Command {
  check({ holders }: Readonly<Model>): boolean {
    return holders.size > 0;
  }

  run({ holders }: Model, stores: StoreProcess): Promise<void> {
    return stores.expireLease(chosen([...holders.keys()], this.pick));
  }
}

class PassBackoff extends DeploymentCommand {
  run(model: Model, stores: StoreProcess): Promise<void> {
    return stores.passBackoff(this.id(model));
  }
}

class Cancel extends DeploymentCommand {
  async run(model: Model, stores: StoreProcess): Promise<void> {
    const id = this.id(model);
    if (!isFinal((await stores.record(id)).state.status)) await stores.cancel(id);
  }
}

const WORKERS = 3;

/** Sequences in which most things go well, so that the others find something to break. */
export function commands(maxCommands: number): fc.Arbitrary<Iterable<fc.AsyncCommand<Model, StoreProcess>>> {
  const pick = fc.nat(11);
  const worker = fc.nat(WORKERS - 1);
  const mostly = fc.constantFrom(true, true, true, false);
  const outcome = fc.constantFrom<Outcome>('succeed', 'succeed', 'succeed', 'retryable', 'permanent', 'release');
  const word = fc.constantFrom('rollout_paused', 'rollout_resumed', 'rollout_promoted', 'rollout_aborted');
  const onConflict = fc.constantFrom<OnConflict>('queue', 'queue', 'queue', 'supersede');
  return fc.commands(
    [
      ...often(
        2,
        fc.tuple(pick, onConflict).map((args) => new Submit(...args)),
      ),
      ...often(
        2,
        pick.map((none) => new Reconcile(none)),
      ),
      ...often(
        6,
        fc.tuple(pick, worker, mostly).map((args) => new ClaimPhase(...args)),
      ),
      ...often(
        6,
        fc.tuple(pick, mostly, outcome).map((args) => new Commit(...args)),
      ),
      ...often(
        1,
        fc.tuple(pick, mostly).map((args) => new WriteLine(...args)),
      ),
      ...often(
        3,
        fc.tuple(pick, mostly, mostly).map((args) => new Shift(...args)),
      ),
      ...often(
        1,
        fc.tuple(pick, word).map((args) => new Say(...args)),
      ),
      ...often(
        1,
        fc.tuple(pick, mostly).map((args) => new Heartbeat(...args)),
      ),
      ...often(
        2,
        pick.map((which) => new ExpireLease(which)),
      ),
      ...often(
        2,
        pick.map((which) => new PassBackoff(which)),
      ),
      ...often(
        1,
        worker.map((which) => new Die(which)),
      ),
      ...often(
        1,
        pick.map((which) => new Cancel(which)),
      ),
    ],
    { maxCommands, size: 'max' },
  );
}

/** fast-check takes each of its commands as often as any other. */
function often<Item>(times: number, item: Item): Item[] {
  return Array.from({ length: times }, () => item);
}

function isHeld(claim: Claim, { holders }: Readonly<Model>): boolean {
  return holders.get(claim.record.id) === claim;
}

function chosen<Item>(items: readonly Item[], pick: number): Item {
  const item = items[pick % items.length];
  if (item === undefined) throw new Error('there is nothing to choose from');
  return item;
}
