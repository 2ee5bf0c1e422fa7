/** The configuration of an app in a request: every field, its form and its bounds. */
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
  Matches,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { LIMITS } from '../../domain/limits.js';
import { HOST_NAME, MayBeLeftOut } from './field-forms.js';
import { IsStrategy, STRATEGY_FORMS, type StrategyField } from './strategy-field.js';

/** A named volume, or an absolute path without `.` and `..` segments. */
const VOLUME_SOURCE = /^([a-zA-Z0-9][\w.-]{0,62}|(\/(?!\.{1,2}(\/|$))[\w.@ -]+)+)$/;
const ABSOLUTE_PATH = /^(\/(?!\.{1,2}(\/|$))[\w.@ -]+)+$/;
const PORT_MAX = 65_535;

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

/** All but the values that are secret: a deploy replaces those as a whole, a change of the app one by one. */
@ApiExtraModels(...STRATEGY_FORMS)
export class SettingsDto {
  @MayBeLeftOut() @IsInt() @Min(0) @Max(LIMITS.replicas) replicas?: number;

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
}
