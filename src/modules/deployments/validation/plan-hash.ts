/** The fingerprint of a plan: of everything that decides what would happen, and of nothing else. */
import type { Secrets } from '../../../domain/ports.js';
import { canonical } from '../../../domain/rollout-plan.js';
import type { Outlook } from './outlook.js';

/** Sealed texts differ each time, so it is made over clear ones; it is keyed, and tells nothing of them. */
export function planHash(secrets: Secrets, outlook: Outlook, gitToken: string | undefined): string {
  const { identity, spec, config, env, secrets: files, app, plugins } = outlook;
  const { app_name, environment, project, version, timeout_ms } = identity;
  const { config: _, source, ...ways } = spec;
  return secrets.fingerprint(
    canonical({
      identity: { app_name, environment, project, version, timeout_ms },
      source: source.kind === 'git' ? { ...source, token: gitToken } : source,
      ways,
      config: { ...config, env, secrets: files },
      live: app?.live_deployment,
      plugins: Object.values(plugins).map((hook) => hook.map(({ name, version }) => [name, version])),
    }),
  );
}
