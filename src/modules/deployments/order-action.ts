/** An order as policy judges it, and as the person reads it who is asked to approve it. */
import type { Action } from '../../domain/policy.js';
import type { DeploymentOrder } from '../../domain/ports.js';

/** An order with the hash of everything that was asked for. */
export interface PlannedOrder extends DeploymentOrder {
  readonly plan_hash: string;
}

export function actionOf({ identity, spec: { config, whole } }: DeploymentOrder): Action {
  const { kind = 'deploy', app_name, environment } = identity;
  const strategy = config.strategy?.type ?? (whole ? 'rolling' : undefined);
  return {
    kind,
    app_name,
    environment,
    ...(config.replicas !== undefined && { replicas: config.replicas }),
    ...(strategy && { strategy }),
  };
}

/** Names of settings only: their values may be secret. */
export function summaryOf({ identity, spec: { config, merge } }: DeploymentOrder): string {
  const { source, version, reason, rollback_to } = identity;
  const settings = [...new Set([...Object.keys(config), ...Object.keys(merge ?? {})])].sort();
  return [
    rollback_to === undefined ? source : `back to release ${rollback_to}`,
    ...(version === undefined ? [] : [`version ${version}`]),
    ...(settings.length > 0 ? [`sets ${settings.join(', ')}`] : []),
    ...(reason === undefined ? [] : [`because: ${reason}`]),
  ].join('; ');
}
