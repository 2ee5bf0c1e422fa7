/** The deployment as plugins see it. */
import type { PluginDeployment } from '../../../domain/plugin.js';
import type { HookSession } from './hook-session.js';

export function pluginDeployment({ state, record, config }: HookSession): PluginDeployment {
  const { identity, base } = state;
  const { id, kind = 'deploy', app_name, environment, project, version, release, source, actor } = identity;
  const { replicas, port, domains, command, env, secrets, ports, volumes, resources, strategy, health_check } = config;
  return frozen({
    id,
    kind,
    app_name,
    environment,
    project,
    version,
    release,
    source,
    actor: { name: actor.name, ...(actor.agent && { agent: actor.agent }) },
    ...(identity.reason && { reason: identity.reason }),
    ...(identity.rollback_of && { rollback_of: identity.rollback_of }),
    validation_level: record.spec.validation_level,
    replicas,
    port,
    domains,
    command,
    env: Object.keys(env),
    secrets: Object.keys(secrets),
    ports,
    volumes,
    resources,
    strategy: strategy.type,
    has_health_check: health_check !== undefined,
    ...(base && before(base)),
  });
}

function before(base: NonNullable<HookSession['state']['base']>): Pick<PluginDeployment, 'before'> {
  const { release, version, image, image_digest, replicas, traffic } = base;
  const services = (traffic?.stable ?? []).map(({ service }) => service);
  if (release === undefined && services.length === 0) return {};
  return {
    before: {
      services,
      replicas,
      ...(release !== undefined && { release }),
      ...(version !== undefined && { version }),
      ...(image !== undefined && { image }),
      ...(image_digest !== undefined && { image_digest }),
    },
  };
}

/** A copy that nobody can change, to its last leaf. */
function frozen<Value>(value: Value): Value {
  const copy = structuredClone(value);
  const freeze = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    Object.values(part).forEach(freeze);
    Object.freeze(part);
  };
  freeze(copy);
  return copy;
}
