/** Turns a validated request into the order that is stored: source pinned, secrets sealed, impossible wishes refused. */
import { Injectable } from '@nestjs/common';
import { placeName, type DeploySpec, type Source } from '../../domain/app-spec.js';
import { parseCaptainDefinition } from '../../domain/captain-definition.js';
import { DeployError, type ErrorCode } from '../../domain/errors.js';
import { GitRemote, Secrets, type AppPlace, type Principal } from '../../domain/ports.js';
import { checkDockerfile } from '../../plugins/source-check/dockerfile-check.js';
import { Plugins } from '../plugins/index.js';
import { planHash } from '../policy/index.js';
import { AppSettings } from './app-settings.js';
import type { DeployDto, SourceDto } from './deploy.dto.js';
import { idempotencyOf } from './idempotency.js';
import type { PlannedOrder } from './order-action.js';
import { newIdentity } from './order-identity.js';
import { pluginsOf } from './plugin-use.dto.js';
import { refuse } from './refusal.js';
import { gitContext } from './sealing.js';
import type { UploadedArchive } from './upload.js';

/** A service's name must be a DNS label, of 63 characters; this leaves room for `_r` and a release number of six digits. */
const PLACE_NAME_LENGTH = 55;

/** What a validation asks otherwise: it is told what is refused, and goes on where that is possible. */
export interface OrderWays {
  /** Without a source it is about the app as it is live. */
  readonly orLive?: boolean;
  readonly refused?: (error: DeployError) => void;
}

@Injectable()
export class DeployRequests {
  constructor(
    private readonly secrets: Secrets,
    private readonly git: GitRemote,
    private readonly settings: AppSettings,
    private readonly plugins: Plugins,
  ) {}

  /** @throws DeployError for every wish that cannot be met, naming the field */
  async order(
    dto: DeployDto,
    archive: UploadedArchive | undefined,
    principal: Principal,
    key: string | undefined,
    ways: OrderWays = {},
  ): Promise<PlannedOrder> {
    const place = { app_name: dto.app_name, environment: dto.environment ?? 'production' };
    refuseImpossible(place);
    this.settings.check(dto, principal);
    const plugins = await unlessRefused(ways, [], async () => {
      const { plugins: uses = [] } = pluginsOf(dto.plugins);
      await this.plugins.check(uses);
      return uses;
    });
    const isLive = ways.orLive && dto.image === undefined && dto.source === undefined && archive === undefined;
    const source: Source = isLive ? { kind: 'live' } : await this.#source(dto, archive, place);
    const spec = { ...this.#spec(dto, source, place), plugins };
    return {
      identity: {
        ...newIdentity(place, principal, source, dto),
        project: dto.project ?? 'default',
        ...(dto.version && { version: dto.version }),
        ...(dto.wedo_task_id && { wedo_task_id: dto.wedo_task_id }),
      },
      spec,
      hosts: await unlessRefused(ways, [], () => this.settings.hosts(spec.config, place)),
      ...(archive && { archive_path: archive.path }),
      // A branch that has moved on since is another plan.
      plan_hash: planHash(this.secrets, ['deploy', place, dto, archive?.sha256, 'commit' in source && source.commit]),
      ...idempotencyOf(principal, key, this.secrets.fingerprint(JSON.stringify([dto, archive?.sha256]))),
    };
  }

  #spec(dto: DeployDto, source: Source, place: AppPlace): DeploySpec {
    const { env, secrets } = dto;
    return {
      source,
      config: {
        ...this.settings.config(dto),
        ...(env && { env: this.settings.seal('env', env, place) }),
        ...(secrets && { secrets: this.settings.seal('secrets', secrets, place) }),
      },
      validation_level: dto.validation_level ?? 'basic',
      auto_rollback: dto.auto_rollback ?? true,
      on_conflict: dto.on_conflict ?? 'queue',
      ...(dto.on_first_failure && { on_first_failure: dto.on_first_failure }),
    };
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

/** @throws DeployError where nobody else is told what is refused */
async function unlessRefused<Result>(
  { refused }: OrderWays,
  otherwise: Result,
  work: () => Result | Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (refused === undefined || !(error instanceof DeployError)) throw error;
    refused(error);
    return otherwise;
  }
}

function refuseImpossible(place: AppPlace): void {
  if (placeName(place.app_name, place.environment).length > PLACE_NAME_LENGTH) {
    throw refuse(
      'invalid_field',
      'environment',
      `app_name and environment together make a name longer than ${PLACE_NAME_LENGTH}`,
    );
  }
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
