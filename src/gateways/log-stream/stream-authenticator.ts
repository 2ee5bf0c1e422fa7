/** What the log stream asks of the auth module: who a token belongs to. */
import type { Actor } from '../../domain/deployment.js';

export interface StreamPrincipal {
  readonly actor: Actor;
  readonly token_id?: string;
  /** App names or patterns with `*` whose entries may be seen; absent = all. */
  readonly apps?: readonly string[];
}

export abstract class StreamAuthenticator {
  /** The owner of a live token with the scope `read`; `undefined` when there is none. Rejects when that cannot be known now. */
  abstract authenticate(token: string): Promise<StreamPrincipal | undefined>;
}
