/** What every order says of itself, whatever it is for. */
import { ulid } from 'ulid';
import { describeSource, type Source } from '../../domain/app-spec.js';
import type { AppPlace, DeploymentOrder, Principal } from '../../domain/ports.js';

const DEFAULT_TIMEOUT_SECONDS = 900;

export function newIdentity(
  { app_name, environment }: AppPlace,
  { actor }: Principal,
  source: Source,
  { reason, timeout_seconds }: { readonly reason?: string; readonly timeout_seconds?: number },
): Omit<DeploymentOrder['identity'], 'project'> {
  return {
    id: `dep-${ulid().toLowerCase()}`,
    app_name,
    environment,
    actor,
    source: describeSource(source),
    timeout_ms: (timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
    ...(reason && { reason }),
  };
}
