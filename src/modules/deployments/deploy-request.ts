/** Turns a validated request into the order that is stored: source pinned, secrets sealed, impossible wishes refused. */
import { Injectable } from '@nestjs/common';
import { ulid } from 'ulid';
import {
  DEFAULT_HEALTH_CHECK,
  describeSource,
  placeName,
  type AppConfig,
  type DeploySpec,
  type PortMapping,
  type Source,
  type VolumeMount,
} from '../../domain/app-spec.js';
import { parseCaptainDefinition } from '../../domain/captain-definition.js';
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import { PHASE_RULES } from '../../domain/phases.js';
import { GitRemote, Secrets, type AppPlace, type DeploymentOrder, type Principal } from '../../domain/ports.js';
import { hostsOf } from '../../domain/rollout-plan.js';
import type { DeployDto, PortDto, ResourcesDto, SourceDto, VolumeDto } from './deploy.dto.js';
import { RolloutOptions } from './rollout/rollouts.js';
import { envContext, gitContext, secretContext } from './sealing.js';
import { strategyOf } from './strategy-field.js';
import { checkDockerfile } from './dockerfile-check.js';
import type { UploadedArchive } from './upload.js';

/** Name under the root domain at which FlukeDeploy itself is reached. */
export const CAPTAIN = 'captain';
const DEFAULT_TIMEOUT_SECONDS = 900;
/** What post_deploy needs beside waiting. */
const GATE_MARGIN_MS = 60_000;
/** A service's name must be a DNS label, of 63 characters; this leaves room for `_r` and a release number of six digits. */
const PLACE_NAME_LENGTH = 55;
/** Mounting these gives a container the host itself. */
const FORBIDDEN_MOUNTS = /^\/(((proc|sys|dev|etc|boot|root|run|var\/run|var\/lib\/docker)(\/.*)?)|var|var\/lib)?$/;

@Injectable()
export class DeployRequests {
  constructor(
    private readonly secrets: Secrets,
    private readonly git: GitRemote,
    private readonly options: RolloutOptions,
  ) {}

  /** @throws DeployError for every wish that cannot be met, naming the field */
  async order(
    dto: DeployDto,
    archive: UploadedArchive | undefined,
    principal: Principal,
    key: string | undefined,
  ): Promise<DeploymentOrder> {
    const place = { app_name: dto.app_name, environment: dto.environment ?? 'production' };
    refuseImpossible(dto, place, principal);
    const source = await this.#source(dto, archive, place);
    const spec = this.#spec(dto, source, place);
    return {
      identity: {
        id: `dep-${ulid().toLowerCase()}`,
        ...place,
        project: dto.project ?? 'default',
        actor: principal.actor,
        source: describeSource(source),
        timeout_ms: (dto.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS) * 1000,
        ...(dto.version && { version: dto.version }),
        ...(dto.reason && { reason: dto.reason }),
        ...(dto.wedo_task_id && { wedo_task_id: dto.wedo_task_id }),
      },
      spec,
      hosts: this.#hosts(spec, place),
      ...(archive && { archive_path: archive.path }),
      ...(key !== undefined && {
        idempotency: {
          key: `${principal.actor.kind}:${principal.actor.name}:${key}`,
          fingerprint: this.secrets.fingerprint(JSON.stringify([dto, archive?.sha256])),
        },
      }),
    };
  }

  #spec(dto: DeployDto, source: Source, place: AppPlace): DeploySpec {
    const { replicas, env, secrets, ports, volumes, resources, command, port, domains, force_https, health_check } = dto;
    const strategy = strategyOf(dto);
    const config: Partial<AppConfig> = {
      ...(replicas !== undefined && { replicas }),
      ...(env && { env: sealAll(env, (value, name) => this.secrets.seal(value, envContext(place, name))) }),
      ...(secrets && {
        secrets: sealAll(secrets, (value, name) => this.secrets.seal(value, secretContext(place, name))),
      }),
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
    return {
      source,
      config,
      validation_level: dto.validation_level ?? 'basic',
      auto_rollback: dto.auto_rollback ?? true,
      on_conflict: dto.on_conflict ?? 'queue',
      ...(dto.on_first_failure && { on_first_failure: dto.on_first_failure }),
    };
  }

  /** The host names that the order claims. @throws DeployError `domain_taken` for those that are FlukeDeploy's or another app's own */
  #hosts({ config }: DeploySpec, place: AppPlace): string[] {
    const { rootDomain } = this.options;
    const own = hostsOf(place, [], rootDomain);
    const preview = config.strategy?.type === 'blue_green' ? config.strategy.preview_host : undefined;
    const asked = [...(config.domains ?? []), ...(preview === undefined ? [] : [preview])];
    for (const [index, host] of asked.entries()) {
      if (rootDomain === undefined || !host.endsWith(`.${rootDomain}`) || own.includes(host)) continue;
      const label = host.slice(0, -rootDomain.length - 1);
      // One label below the root domain names the app of that name, whether it exists yet or not.
      if (label === CAPTAIN || (!label.includes('.') && host !== preview)) {
        throw refuse('domain_taken', `domains.${index}`, `${host} belongs to ${label === CAPTAIN ? 'FlukeDeploy' : `the app ${label}`}`);
      }
    }
    if (own.includes(`${CAPTAIN}.${rootDomain ?? ''}`)) {
      throw refuse('invalid_field', 'app_name', `${CAPTAIN} is the name under which FlukeDeploy itself is reached`);
    }
    return [...new Set([...own, ...asked])];
  }

  async #source(dto: DeployDto, archive: UploadedArchive | undefined, place: AppPlace): Promise<Source> {
    const given = [dto.image && 'image', dto.source && 'source', archive && 'the uploaded part source'].filter(Boolean);
    if (given.length !== 1) {
      const found = given.length === 0 ? 'none was sent' : `${given.join(' and ')} were sent`;
      throw refuse(
        'invalid_field',
        'source',
        `exactly one of image, source or an uploaded archive is needed; ${found}`,
      );
    }
    if (archive) return { kind: 'archive', bytes: archive.bytes, sha256: archive.sha256 };
    if (dto.image !== undefined) return { kind: 'image', image: dto.image };
    return this.#describedSource(dto.source ?? {}, place);
  }

  async #describedSource({ git, dockerfile, captain_definition }: SourceDto, place: AppPlace): Promise<Source> {
    if ([git, dockerfile, captain_definition].filter((each) => each !== undefined).length !== 1) {
      throw refuse('invalid_field', 'source', 'source must hold exactly one of git, dockerfile, captain_definition');
    }
    if (git) {
      const commit = await blaming(this.git.resolve(git.url, git.ref ?? '', git.token));
      const token = git.token && this.secrets.seal(git.token, gitContext(place));
      return { kind: 'git', url: git.url, ref: git.ref ?? 'HEAD', commit, ...(token && { token }) };
    }
    if (dockerfile !== undefined) {
      checked('source.dockerfile', () => checkDockerfile(dockerfile));
      return { kind: 'dockerfile', dockerfile };
    }
    const definition = captain_definition ?? {};
    const parsed = checked('source.captain_definition', () => parseCaptainDefinition(definition));
    if (parsed.kind === 'dockerfile_path') {
      throw refuse(
        'source_unusable',
        'source.captain_definition.dockerfilePath',
        'dockerfilePath needs files: upload an archive or give a git source',
      );
    }
    return parsed.kind === 'image'
      ? { kind: 'image', image: parsed.image }
      : { kind: 'captain_definition', definition };
  }
}

function sealAll(
  values: Readonly<Record<string, string>>,
  seal: (value: string, name: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, seal(value, name)]));
}

function portMapping({ container_port, host_port, protocol = 'tcp' }: PortDto): PortMapping {
  return { container_port, host_port, protocol };
}

function volumeMount({ source, target, read_only = false }: VolumeDto): VolumeMount {
  return { source, target, read_only };
}

function refuseImpossible(dto: DeployDto, place: AppPlace, principal: Principal): void {
  if (placeName(place.app_name, place.environment).length > PLACE_NAME_LENGTH) {
    throw refuse(
      'invalid_field',
      'environment',
      `app_name and environment together make a name longer than ${PLACE_NAME_LENGTH}`,
    );
  }
  if (dto.plugins?.[0]) throw refuse('plugin_unknown', 'plugins.0.name', `no plugin is named ${dto.plugins[0].name}`);
  refuseLongGate(dto);
  refuseMounts(dto.volumes ?? [], principal);
  refuseTwice(dto.ports ?? [], 'ports', 'host_port', ({ host_port, protocol = 'tcp' }) => `${host_port}/${protocol}`);
  refuseTwice(dto.volumes ?? [], 'volumes', 'target', ({ target }) => target);
  refuseMoreThanLimit(dto.resources ?? {});
}

/** What would take longer than the whole phase may can never pass. */
function refuseLongGate({ health_check }: DeployDto): void {
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

function refuse(code: ErrorCode, path: string, message: string): DeployError {
  return new DeployError(code, `${path}: ${message}`, { fields: [{ path, message }] });
}

/** Which field led to the remote's answer. */
const BLAMED: Partial<Record<ErrorCode, string>> = {
  git_host_refused: 'source.git.url',
  git_unreachable: 'source.git.url',
  git_ref_not_found: 'source.git.ref',
};

async function blaming<Result>(asked: Promise<Result>): Promise<Result> {
  try {
    return await asked;
  } catch (error) {
    const path = error instanceof DeployError && !error.fields ? BLAMED[error.code] : undefined;
    if (!(error instanceof DeployError) || path === undefined) throw error;
    const { code, message, evidence } = error;
    throw new DeployError(code, message, { evidence, fields: [{ path, message }], cause: error });
  }
}

/** A source that is wrong already in the request is refused there, not in a phase minutes later. */
function checked<Result>(path: string, check: () => Result): Result {
  try {
    return check();
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const message = [error.message, ...(error.evidence ?? [])].join(' ');
    throw refuse('source_unusable', path, message);
  }
}
