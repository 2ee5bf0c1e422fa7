/** What is configured of `notify` for a deployment: server-wide, for its app, or for this one alone. */
import type { DeploymentRecord } from '../../domain/ports.js';

export interface NotifyUse {
  /** As they were configured, checked or not. */
  readonly options: unknown;
  /** The value of the secret of this name; `undefined` where there is none. */
  secret(name: string): string | undefined;
}

export abstract class NotifyUses {
  /** `undefined` where it is not switched on. Asked again at each attempt: what is put right counts from then on. */
  abstract of(record: DeploymentRecord): Promise<NotifyUse | undefined>;
}
