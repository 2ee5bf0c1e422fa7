/** The body of `POST /api/v1/deploy`: every field, its form and its bounds. */
import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
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
import { IsEnvironment, IsSecretFiles } from './environment-field.js';
import { MayBeLeftOut } from './field-forms.js';
import { IsName } from './name-field.js';
import { ArePlugins, type PluginUseDto } from './plugin-use.dto.js';
import { SettingsDto } from './settings.dto.js';

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

export class DeployDto extends SettingsDto {
  @IsName(LIMITS.app_name_length)
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
  @MayBeLeftOut() @IsName(30) environment?: string;
  @MayBeLeftOut() @IsName(30) project?: string;

  /** Environment variables; kept encrypted, never shown. */
  @MayBeLeftOut()
  @IsEnvironment()
  env?: Record<string, string>;

  /** Contents of files under /run/secrets, by name; kept encrypted, never shown. */
  @MayBeLeftOut()
  @IsSecretFiles()
  secrets?: Record<string, string>;

  /** Which pre-deploy gates must pass. */
  @MayBeLeftOut() @IsIn(VALIDATION_LEVELS) validation_level?: ValidationLevel;
  @MayBeLeftOut() @IsBoolean() auto_rollback?: boolean;
  /** What becomes of a version that fails while it serves, when there is none before it. */
  @MayBeLeftOut() @IsIn(ON_FIRST_FAILURE) on_first_failure?: OnFirstFailure;
  /** Plugins that are on for this deployment, beside those of the app and of the server. */
  @ArePlugins()
  plugins?: PluginUseDto[];
  @MayBeLeftOut() @IsInt() @Min(10) @Max(86_400) timeout_seconds?: number;
  @MayBeLeftOut() @IsIn(ON_CONFLICT) on_conflict?: OnConflict;
  @MayBeLeftOut() @IsString() @MaxLength(500) reason?: string;
  @MayBeLeftOut()
  @Matches(/^[\w.:-]{1,200}$/, { message: 'wedo_task_id must be letters, digits and . : - _' })
  wedo_task_id?: string;
}
