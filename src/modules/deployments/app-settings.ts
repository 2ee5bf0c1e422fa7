/** The configuration in a request: impossible wishes are refused by field, what is secret is sealed, host names are claimed. */
import { Injectable } from '@nestjs/common';
import { DEFAULT_HEALTH_CHECK, type AppConfig, type PortMapping, type VolumeMount } from '../../domain/app-spec.js';
import { DeployError } from '../../domain/errors.js';
import { hostField, namedHosts, previewConflict, previewHostOf } from '../../domain/host-names.js';
import { PHASE_RULES } from '../../domain/phases.js';
import { Secrets, type AppPlace, type Principal } from '../../domain/ports.js';
import { hostsOf } from '../../domain/rollout-plan.js';
import { refuse } from './refusal.js';
import { RolloutOptions } from './rollout/rollouts.js';
import { contextOf, type SecretKind } from './sealing.js';
import type { PortDto, ResourcesDto, SettingsDto, VolumeDto } from './settings.dto.js';
import { strategyOf } from './strategy-field.js';

/** Name under the root domain at which FlukeDeploy itself is reached. */
const CAPTAIN = 'captain';
/** What post_deploy needs beside waiting. */
const GATE_MARGIN_MS = 60_000;
/** Mounting these gives a container the host itself. */
const FORBIDDEN_MOUNTS = /^\/(((proc|sys|dev|etc|boot|root|run|var\/run|var\/lib\/docker)(\/.*)?)|var|var\/lib)?$/;

@Injectable()
export class AppSettings {
  constructor(
    private readonly secrets: Secrets,
    private readonly options: RolloutOptions,
  ) {}

  /** @throws DeployError for every wish that cannot be met, naming the field */
  check(dto: SettingsDto, principal: Principal): void {
    refuseLongGate(dto);
    refuseMounts(dto.volumes ?? [], principal);
    refuseTwice(dto.ports ?? [], 'ports', 'host_port', ({ host_port, protocol = 'tcp' }) => `${host_port}/${protocol}`);
    refuseTwice(dto.volumes ?? [], 'volumes', 'target', ({ target }) => target);
    refuseMoreThanLimit(dto.resources ?? {});
  }

  /** What was asked for, without `env` and `secrets`. */
  config(dto: SettingsDto): Partial<AppConfig> {
    const { replicas, ports, volumes, resources, command, port, domains, force_https, health_check } = dto;
    const strategy = strategyOf(dto);
    return {
      ...(replicas !== undefined && { replicas }),
      ...(ports && { ports: ports.map(portMapping) }),
      ...(volumes && { volumes: volumes.map(volumeMount) }),
      ...(resources && { resources }),
      ...(command && { command }),
      ...(port !== undefined && { port }),
      ...(domains && { domains: domains.map((domain) => domain.toLowerCase()) }),
      ...(force_https !== undefined && { force_https }),
      ...(strategy && { strategy }),
      ...(health_check && { health_check: Object.assign({}, DEFAULT_HEALTH_CHECK, health_check) }),
    };
  }

  /** Each value under its name; null stays null. */
  seal<Value extends string | null>(
    kind: SecretKind,
    values: Readonly<Record<string, Value>>,
    place: AppPlace,
  ): Record<string, Value> {
    const seal = ([name, value]: [string, Value]) =>
      [name, value === null ? value : this.secrets.seal(value, contextOf(kind, place, name))] as [string, Value];
    return Object.fromEntries(Object.entries(values).map(seal));
  }

  /**
   * The host names that a configuration claims.
   * @throws DeployError `domain_taken` for those that are FlukeDeploy's or another app's own, `strategy_unsupported` for a preview under
   * the app's own
   */
  hosts(config: Partial<AppConfig>, place: AppPlace): string[] {
    const { rootDomain } = this.options;
    const own = hostsOf(place, [], rootDomain);
    const preview = previewHostOf(config);
    const conflict = previewConflict(config, own);
    if (conflict) throw conflict;
    const asked = namedHosts(config);
    for (const host of asked) {
      if (rootDomain === undefined || !host.endsWith(`.${rootDomain}`) || own.includes(host)) continue;
      const label = host.slice(0, -rootDomain.length - 1);
      // One label below the root domain names the app of that name, whether it exists yet or not.
      if (label === CAPTAIN || (!label.includes('.') && host !== preview)) {
        const owner = label === CAPTAIN ? 'FlukeDeploy' : `the app ${label}`;
        throw refuse('domain_taken', hostField(host, preview, config.domains), `${host} belongs to ${owner}`);
      }
    }
    if (own.includes(`${CAPTAIN}.${rootDomain ?? ''}`)) {
      throw refuse('invalid_field', 'app_name', `${CAPTAIN} is the name under which FlukeDeploy itself is reached`);
    }
    return [...new Set([...own, ...asked])];
  }
}

function portMapping({ container_port, host_port, protocol = 'tcp' }: PortDto): PortMapping {
  return { container_port, host_port, protocol };
}

function volumeMount({ source, target, read_only = false }: VolumeDto): VolumeMount {
  return { source, target, read_only };
}

/**
 * A deadline longer than the phase's own time would never be met. The bake has its time on top of that, but both shall fit into the
 * time of a deployment that asks for no more than the default.
 */
function refuseLongGate({ health_check }: SettingsDto): void {
  const { deadline_ms = DEFAULT_HEALTH_CHECK.deadline_ms, bake_ms = 0 } = health_check ?? {};
  const longest = PHASE_RULES.post_deploy.timeout_ms - GATE_MARGIN_MS;
  if (deadline_ms + bake_ms > longest) {
    throw refuse(
      'invalid_field',
      'health_check.deadline_ms',
      `deadline_ms and bake_ms together must be at most ${longest}`,
    );
  }
}

function refuseMounts(volumes: readonly VolumeDto[], principal: Principal): void {
  for (const [index, { source }] of volumes.entries()) {
    if (!source.startsWith('/')) continue;
    if (!principal.scopes.includes('admin'))
      throw new DeployError('forbidden', 'Mounting folders of the host needs the scope admin.');
    if (FORBIDDEN_MOUNTS.test(source))
      throw refuse('invalid_field', `volumes.${index}.source`, `${source} belongs to the host itself`);
  }
}

/** Docker finds these out only when it starts the container. */
function refuseTwice<Item>(items: readonly Item[], list: string, field: string, keyOf: (item: Item) => string): void {
  const keys = items.map(keyOf);
  const index = keys.findIndex((key, place) => keys.indexOf(key) < place);
  if (index >= 0) throw refuse('invalid_field', `${list}.${index}.${field}`, `${String(keys[index])} is named twice`);
}

function refuseMoreThanLimit({
  cpu_limit,
  cpu_reservation,
  memory_limit_mb,
  memory_reservation_mb,
}: ResourcesDto): void {
  const exceeds = (reserved = 0, limit = Infinity) => reserved > limit;
  const field = exceeds(cpu_reservation, cpu_limit)
    ? 'cpu_reservation'
    : exceeds(memory_reservation_mb, memory_limit_mb)
      ? 'memory_reservation_mb'
      : undefined;
  if (field) throw refuse('invalid_field', `resources.${field}`, 'is more than the limit');
}
