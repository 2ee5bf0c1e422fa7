/** What a rollout works with. */
import type { Cluster, DeploymentStore, Edge } from '../../../domain/ports.js';
import type { EdgeRouter } from '../../edge/index.js';

export interface RolloutPorts {
  readonly cluster: Cluster;
  readonly edge: Edge;
  readonly router: EdgeRouter;
  readonly store: DeploymentStore;
}
