/**
 * Nothing is changed unseen: what is about to be done is noted first, and its outcome follows. Every door uses this; where the
 * note cannot be made, the change is not made either.
 */
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { isRefusal } from '../../domain/audit-record.js';
import { DeployError } from '../../domain/errors.js';
import { AuditTrail, type AuditIntent, type AuditRecord } from '../../domain/ports.js';
import { RefusalAllowance } from './refusal-allowance.js';

const MINUTE_MS = 60_000;

/** What only the end tells. */
export interface Told extends Partial<Pick<AuditIntent, 'target' | 'plan_hash'>> {
  /** The approval that has allowed it. */
  readonly approval_id?: string;
}

@Injectable()
export class Auditor implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #logger = new Logger('Audit');
  readonly #refusals = new RefusalAllowance<AuditRecord>();
  readonly #strangers = new RefusalAllowance<AuditIntent>();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly trail: AuditTrail) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => void this.endMinute(), MINUTE_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.endMinute();
  }

  /**
   * To be called before anything is changed.
   * @throws DeployError `unavailable`, or `too_many_requests` of strangers who try to log in: then nothing may be changed
   */
  async begin(intent: AuditIntent): Promise<AuditedChange> {
    if (intent.actor.kind === 'anonymous' && !this.#strangers.admit(whoOf(intent), intent)) {
      throw new DeployError('too_many_requests', 'Too many attempts from this address.', { retryAfterSeconds: 60 });
    }
    const key = await this.trail.intend(intent).catch((cause: unknown) => {
      this.#logger.error(`Nothing can be changed, as it could not be recorded: ${String(cause)}`);
      const message = 'The audit trail cannot be written, so nothing was changed.';
      throw new DeployError('unavailable', message, { cause, retryAfterSeconds: 2 });
    });
    return new AuditedChange(intent, (record) => this.#write(record, () => this.trail.settle(key, record)));
  }

  /**
   * For what was refused before anything began. It stays refused, whether it can be recorded or not. Nobody fills the trail with
   * it: what is beyond the allowance is counted.
   */
  async refused(intent: AuditIntent, error: DeployError): Promise<void> {
    const record = failure(intent, error);
    if (this.#refusals.admit(whoOf(intent), record)) await this.#write(record, () => this.trail.audit(record));
  }

  /** Records how many refusals were only counted, each time with the last of them. */
  async endMinute(): Promise<void> {
    this.#strangers.next();
    for (const { count, last } of this.#refusals.next()) {
      const record = { ...last, rule: `${count} more within a minute, this is the last: ${last.rule ?? ''}` };
      await this.#write(record, () => this.trail.audit(record));
    }
  }

  /** The answer is what it is: a change whose end cannot be written stays noted, and becomes `unknown` in the trail. */
  async #write(record: AuditRecord, write: () => Promise<void>): Promise<void> {
    await write().catch((error: unknown) => {
      this.#logger.error(`Not in the audit trail: ${JSON.stringify(record)}: ${String(error)}`);
    });
  }
}

/** A change that is noted, until one of its ends is told. */
export class AuditedChange {
  constructor(
    private readonly intent: AuditIntent,
    private readonly settle: (record: AuditRecord) => Promise<void>,
  ) {}

  succeeded({ approval_id, ...told }: Told = {}): Promise<void> {
    const rule = approval_id === undefined ? {} : { rule: `approval: ${approval_id}` };
    return this.settle({ ...this.intent, ...told, outcome: 'succeeded', ...rule });
  }

  failed(error: DeployError, told: Omit<Told, 'approval_id'> = {}): Promise<void> {
    return this.settle(failure({ ...this.intent, ...told }, error));
  }
}

function whoOf({ actor, address }: AuditIntent): string {
  return actor.token_id ?? address ?? '';
}

/** Other errors may quote what was sent, so of them only the code is kept. */
function failure(intent: AuditIntent, error: DeployError): AuditRecord {
  const { code } = error;
  return { ...intent, outcome: code, ...(isRefusal(code) && { rule: ruleOf(error) }) };
}

/** Where policy refuses, its rule and the approval that would be needed come first. */
function ruleOf({ message, policy }: DeployError): string {
  return [policy?.rule, policy?.approval_id, message].filter((part) => part !== undefined).join(': ');
}
