/** Which host names a configuration names, whether they serve at the moment or not. Pure. */
import type { AppConfig } from './app-spec.js';
import { DeployError } from './errors.js';
import type { DeploymentIdentity } from './facts.js';

type Named = Partial<Pick<AppConfig, 'domains' | 'strategy'>>;

/** Where a new version shows itself before the switch. */
export function previewHostOf({ strategy }: Named): string | undefined {
  return strategy?.type === 'blue_green' ? strategy.preview_host : undefined;
}

/** The domains first. Those of the app's own under the root domain are `hostsOf`. */
export function namedHosts(config: Named): string[] {
  const preview = previewHostOf(config);
  return [...(config.domains ?? []), ...(preview === undefined ? [] : [preview])];
}

/** The field of a request that names the host; without an index where the configuration at hand is not what was sent. */
export function hostField(host: string, preview: string | undefined, domains: readonly string[] = []): string {
  if (host === preview) return 'strategy.preview_host';
  const index = domains.indexOf(host);
  return index < 0 ? 'domains' : `domains.${index}`;
}

/** What is against a preview under a name at which the app answers already: one name cannot lead to both versions. */
export function previewConflict(config: Named, hosts: readonly string[]): DeployError | undefined {
  const preview = previewHostOf(config);
  if (preview === undefined || !hosts.includes(preview)) return undefined;
  const path = 'strategy.preview_host';
  const message = `${preview} is a host name of the app already: a preview needs one of its own`;
  return new DeployError('strategy_unsupported', `${path}: ${message}.`, { fields: [{ path, message }] });
}

/** The same for an order, by its whole configuration: going back, scaling and restarting show no preview. */
export function orderedPreviewConflict(
  { kind = 'deploy' }: Pick<DeploymentIdentity, 'kind'>,
  config: AppConfig,
): DeployError | undefined {
  return kind === 'deploy' || kind === 'config' ? previewConflict(config, config.domains) : undefined;
}
