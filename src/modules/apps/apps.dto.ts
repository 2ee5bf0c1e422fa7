/** Bodies and parameters of the routes of apps. */
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { ON_CONFLICT, type OnConflict } from '../../domain/app-spec.js';
import { LIMITS } from '../../domain/limits.js';
import {
  AppParams,
  ArePlugins,
  IsEnvironment,
  IsName,
  IsSecretFiles,
  MayBeLeftOut,
  PageQuery,
  type PluginUseDto,
  SettingsDto,
} from '../deployments/index.js';

const RELEASE_MAX = 2_147_483_647;
const ENVIRONMENT_MESSAGE = 'environment must be an environment name';

export class EnvironmentQuery {
  /** `production` when it is left out. */
  @IsOptional() @IsName(30, ENVIRONMENT_MESSAGE) environment?: string;
}

export class ReleasesQuery extends PageQuery {
  /** `production` when it is left out. */
  @IsOptional() @IsName(30, ENVIRONMENT_MESSAGE) environment?: string;
}

export const VOLUME_CHOICES = ['keep', 'remove'] as const;
export type VolumeChoice = (typeof VOLUME_CHOICES)[number];

export class DeleteAppQuery extends EnvironmentQuery {
  /** What becomes of the named volumes of its configuration, with all that is in them. */
  @IsOptional() @IsIn(VOLUME_CHOICES) volumes?: VolumeChoice;
}

export class ReleaseParams extends AppParams {
  @Type(() => Number) @IsInt() @Min(1) @Max(RELEASE_MAX) release!: number;
}

export class DifferenceParams extends AppParams {
  @Type(() => Number) @IsInt() @Min(1) @Max(RELEASE_MAX) from!: number;
  @Type(() => Number) @IsInt() @Min(1) @Max(RELEASE_MAX) to!: number;
}

/** Every field but `env` and `secrets` takes the place of what there is; what is left out stays. */
export class ConfigureAppDto extends SettingsDto {
  /** Environment variables that get a value; null takes one away, and all others stay. */
  @MayBeLeftOut()
  @IsEnvironment({ removable: true })
  env?: Record<string, string | null>;

  /** Files under /run/secrets that get a content; null takes one away, and all others stay. */
  @MayBeLeftOut()
  @IsSecretFiles({ removable: true })
  secrets?: Record<string, string | null>;

  /** Plugins that are on for every deployment of the app, in the place of those that were. */
  @ArePlugins()
  plugins?: PluginUseDto[];

  /** `production` when it is left out. */
  @MayBeLeftOut() @IsName(30) environment?: string;
  @MayBeLeftOut() @IsString() @MaxLength(500) reason?: string;
  @MayBeLeftOut() @IsIn(ON_CONFLICT) on_conflict?: OnConflict;
}

export class RestartDto {
  /** `production` when it is left out. */
  @MayBeLeftOut() @IsName(30) environment?: string;
  @MayBeLeftOut() @IsString() @MaxLength(500) reason?: string;
}

export class ScaleDto extends RestartDto {
  /** 0 = stopped. */
  @IsInt() @Min(0) @Max(LIMITS.replicas) replicas!: number;
}

export class RollbackDto extends RestartDto {
  /** The newest release of this version. */
  @MayBeLeftOut() @IsString() @MaxLength(128) version?: string;
  @MayBeLeftOut() @IsInt() @Min(1) @Max(RELEASE_MAX) release?: number;
  /** The release that this deployment became. */
  @MayBeLeftOut()
  @Matches(/^[\w-]{1,64}$/, { message: 'deployment_id must be a deployment id' })
  deployment_id?: string;
}
