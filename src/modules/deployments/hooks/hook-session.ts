/** What hooks need of whoever runs them: a phase of a deployment, or a validation that deploys nothing. */
import type { DeploymentState } from '../../../domain/deployment.js';
import type { DeploymentRecord } from '../../../domain/ports.js';
import type { DeploymentSession } from '../deployment-session.js';

export interface HookSession extends Pick<
  DeploymentSession,
  | 'config'
  | 'env'
  | 'secrets'
  | 'phase'
  | 'attempt'
  | 'begun'
  | 'signal'
  | 'place'
  | 'emit'
  | 'note'
  | 'output'
  | 'bounded'
> {
  readonly record: Pick<DeploymentRecord, 'spec'>;
  readonly state: Pick<DeploymentState, 'identity' | 'base' | 'hooks'>;
}
