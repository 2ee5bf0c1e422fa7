/** The body of `POST /api/v1/deploy`: every field, its form and its bounds. */
import { ApiExtraModels } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateBy,
  ValidateNested,
} from 'class-validator';
import {
  ON_CONFLICT,
  ON_FIRST_FAILURE,
  VALIDATION_LEVELS,
  type OnConflict,
  type OnFirstFailure,
  type ValidationLevel,
} from '../../domain/app-spec.js';
import { gitUrlProblem } from '../../domain/git-address.js';
import { parseImageReference } from '../../domain/image-reference.js';
import { LIMITS } from '../../domain/limits.js';
import { HOST_NAME, MayBeLeftOut } from './field-forms.js';
import { IsStrategy, STRATEGY_FORMS, type StrategyField } from './strategy-field.js';

export { MayBeLeftOut } from './field-forms.js';

/** Lower case letters, digits and single dashes between them: CapRover's rule. */
export const NAME = /^(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const NAME_MESSAGE = '$property must be lower case letters, digits and single dashes between them';
/** A named volume, or an absolute path without `.` and `..` segments. */
const VOLUME_SOURCE = /^([a-zA-Z0-9][\w.-]{0,62}|(\/(?!\.{1,2}(\/|$))[\w.@ -]+)+)$/;
const ABSOLUTE_PATH = /^(\/(?!\.{1,2}(\/|$))[\w.@ -]+)+$/;
const PORT_MAX = 65_535;

export class GitSourceDto {
  /** http or https, without user, password, query and fragment. */
  @ValidateBy({
    name: 'isGitUrl',
    validator: {
      validate: (value) =>
        typeof value === 'string' && /^[\x21-\x7e]+$/.test(value) && gitUrlProblem(value) === undefined,
      defaultMessage: () => 'url must be an http or https URL without user, password, query and fragment',
    },
  })
  @MaxLength(2_000)
  url!: string;

  /** Branch, tag or full commit id; the repository's default branch when left out. */
  @MayBeLeftOut()
  @Matches(/^(?!-)(?!.*\.\.)[\w][\w./+-]{0,199}$/, { message: 'ref must be a branch, tag or commit id' })
  ref?: string;

  /** Access token for a private repository; kept encrypted, never shown. */
  @MayBeLeftOut()
  @Matches(/^[\x21-\x7e]{1,500}$/, { message: 'token must be printable ASCII without spaces' })
  token?: string;
}

export class SourceDto {
  @MayBeLeftOut()
  @IsObject()
  @ValidateNested()
  @Type(() => GitSourceDto)
  git?: GitSourceDto;

  /** The text of a Dockerfile that needs no other files. */
  @MayBeLeftOut()
  @IsString()
  @MaxLength(256 * 1024)
  dockerfile?: string;

  /** CapRover's captain-definition, schema version 2. */
  @MayBeLeftOut()
  @IsObject()
  captain_definition?: Record<string, unknown>;
}

export class PortDto {
  @IsInt() @Min(1) @Max(PORT_MAX) container_port!: number;
  /** Published on every node that runs a replica. */
  @IsInt() @Min(1) @Max(PORT_MAX) host_port!: number;
  @MayBeLeftOut() @IsIn(['tcp', 'udp']) protocol?: 'tcp' | 'udp';
}

export class VolumeDto {
  /** Name of a volume, or (for admins) an absolute path of the host. */
  @Matches(VOLUME_SOURCE, { message: 'source must be a volume name or an absolute path' }) source!: string;
  @Matches(ABSOLUTE_PATH, { message: 'target must be an absolute path' }) target!: string;
  @MayBeLeftOut() @IsBoolean() read_only?: boolean;
}

export class ResourcesDto {
  /** Cores, such as 0.5. */
  @MayBeLeftOut() @IsNumber() @Min(0.01) @Max(1_024) cpu_limit?: number;
  @MayBeLeftOut() @IsInt() @Min(6) @Max(16_777_216) memory_limit_mb?: number;
  @MayBeLeftOut() @IsNumber() @Min(0.01) @Max(1_024) cpu_reservation?: number;
  @MayBeLeftOut() @IsInt() @Min(1) @Max(16_777_216) memory_reservation_mb?: number;
}

export class HealthCheckDto {
  /** Path that must answer 2xx or 3xx; without it a TCP connection must be accepted. */
  @MayBeLeftOut()
  @Matches(/^\/[\x21-\x7e]{0,499}$/, { message: 'path must begin with / and hold no spaces' })
  path?: string;
  @MayBeLeftOut() @IsInt() @Min(1) @Max(PORT_MAX) port?: number;
  @MayBeLeftOut() @IsInt() @Min(100) @Max(60_000) interval_ms?: number;
  @MayBeLeftOut() @IsInt() @Min(100) @Max(60_000) timeout_ms?: number;
  /** Successes in a row that make a replica healthy. */
  @MayBeLeftOut() @IsInt() @Min(1) @Max(100) healthy_threshold?: number;
  @MayBeLeftOut() @IsInt() @Min(1_000) @Max(3_600_000) deadline_ms?: number;
  /** How long the replicas must stay healthy afterwards. */
  @MayBeLeftOut() @IsInt() @Min(0) @Max(3_600_000) bake_ms?: number;
}

export class PluginUseDto {
  @Matches(NAME, { message: NAME_MESSAGE }) name!: string;
  @MayBeLeftOut() @IsObject() options?: Record<string, unknown>;
}

@ApiExtraModels(...STRATEGY_FORMS)
export class DeployDto {
  @Matches(NAME, { message: NAME_MESSAGE })
  @MaxLength(LIMITS.app_name_length)
  app_name!: string;

  /** Image reference; exactly one of image, source and the uploaded part `source`. */
  @MayBeLeftOut()
  @ValidateBy({
    name: 'isImageReference',
    validator: {
      validate: (value) => typeof value === 'string' && parseImageReference(value) !== undefined,
      defaultMessage: () => 'image must be an image reference such as registry.example.com/team/app:1.2',
    },
  })
  image?: string;

  @MayBeLeftOut()
  @IsObject()
  @ValidateNested()
  @Type(() => SourceDto)
  source?: SourceDto;

  /** Label of the release; by default the image's tag, the commit, else the release number. */
  @MayBeLeftOut()
  @Matches(/^[\w][\w.+-]{0,127}$/, { message: 'version must be letters, digits, dots, dashes, at most 128' })
  version?: string;
  @MayBeLeftOut() @Matches(NAME, { message: NAME_MESSAGE }) @MaxLength(30) environment?: string;
  @MayBeLeftOut() @Matches(NAME, { message: NAME_MESSAGE }) @MaxLength(30) project?: string;

  @MayBeLeftOut() @IsInt() @Min(0) @Max(LIMITS.replicas) replicas?: number;

  /** Environment variables; kept encrypted, never shown. */
  @MayBeLeftOut()
  @ValidateBy({
    name: 'isEnvironment',
    validator: { validate: isEnvironment, defaultMessage: () => ENVIRONMENT_MESSAGE },
  })
  env?: Record<string, string>;

  /** Contents of files under /run/secrets, by name; kept encrypted, never shown. */
  @MayBeLeftOut()
  @ValidateBy({
    name: 'isEnvironment',
    validator: { validate: isEnvironment, defaultMessage: () => ENVIRONMENT_MESSAGE },
  })
  secrets?: Record<string, string>;

  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(50)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => PortDto)
  ports?: PortDto[];
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(50)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => VolumeDto)
  volumes?: VolumeDto[];
  @MayBeLeftOut() @IsObject() @ValidateNested() @Type(() => ResourcesDto) resources?: ResourcesDto;

  /** Arguments in place of the image's CMD. */
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(100)
  @Matches(/^[^\0]{0,4000}$/s, { each: true, message: 'command must be a list of strings' })
  command?: string[];

  /** The container's HTTP port; 0 = it serves none. */
  @MayBeLeftOut() @IsInt() @Min(0) @Max(PORT_MAX) port?: number;
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(100)
  @Matches(HOST_NAME, { each: true, message: 'domains must be host names' })
  domains?: string[];
  /** Whether plain HTTP is answered by a redirect to HTTPS, once there is a certificate. */
  @MayBeLeftOut() @IsBoolean() force_https?: boolean;

  /** How traffic moves to the new version: `rolling`, `blue_green` or `canary`, or one of them with its parameters. */
  @MayBeLeftOut()
  @IsStrategy()
  strategy?: StrategyField;

  @MayBeLeftOut() @IsObject() @ValidateNested() @Type(() => HealthCheckDto) health_check?: HealthCheckDto;

  /** Which pre-deploy gates must pass. */
  @MayBeLeftOut() @IsIn(VALIDATION_LEVELS) validation_level?: ValidationLevel;
  @MayBeLeftOut() @IsBoolean() auto_rollback?: boolean;
  /** What becomes of a version that fails while it serves, when there is none before it. */
  @MayBeLeftOut() @IsIn(ON_FIRST_FAILURE) on_first_failure?: OnFirstFailure;
  @MayBeLeftOut()
  @IsArray()
  @ArrayMaxSize(50)
  @IsObject({ each: true })
  @ValidateNested({ each: true })
  @Type(() => PluginUseDto)
  plugins?: PluginUseDto[];
  @MayBeLeftOut() @IsInt() @Min(10) @Max(86_400) timeout_seconds?: number;
  @MayBeLeftOut() @IsIn(ON_CONFLICT) on_conflict?: OnConflict;
  @MayBeLeftOut() @IsString() @MaxLength(500) reason?: string;
  @MayBeLeftOut()
  @Matches(/^[\w.:-]{1,200}$/, { message: 'wedo_task_id must be letters, digits and . : - _' })
  wedo_task_id?: string;
}

const ENVIRONMENT_MESSAGE = `env must map names ([A-Za-z_][A-Za-z0-9_]*) to strings, at most ${LIMITS.env_variables}, of ${LIMITS.env_total_length} characters in all`;

function isEnvironment(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= LIMITS.env_variables &&
    entries.flat().reduce((sum: number, text) => sum + String(text).length, 0) <= LIMITS.env_total_length &&
    entries.every(
      ([name, text]) =>
        /^[A-Za-z_]\w{0,199}$/.test(name) &&
        typeof text === 'string' &&
        text.length <= LIMITS.env_value_length &&
        !text.includes('\0'),
    )
  );
}
