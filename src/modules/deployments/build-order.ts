/** What Docker is told to build for a deployment or a validation, under a tag that belongs to it alone. */
import type { DeploymentIdentity } from '../../domain/facts.js';
import type { BuildOrder } from '../../domain/ports.js';

type Owner = Pick<DeploymentIdentity, 'id' | 'app_name' | 'environment'>;

export function imageTag({ id, app_name }: Pick<Owner, 'id' | 'app_name'>): string {
  return `flukedeploy/${app_name}:${id}`;
}

export function buildOrder(source: Pick<BuildOrder, 'folder' | 'dockerfile'>, owner: Owner): BuildOrder {
  const { id, app_name, environment } = owner;
  const labels = {
    'flukedeploy.managed': 'true',
    'flukedeploy.app': app_name,
    'flukedeploy.environment': environment,
    'flukedeploy.deployment': id,
  };
  return { ...source, tag: imageTag(owner), labels };
}
