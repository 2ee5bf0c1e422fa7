/** Bodies of logging in, and of asking who one is. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsOptional, IsString, MaxLength, MinLength } from 'class-validator';
import type { Actor } from '../../domain/deployment.js';
import type { Freeze } from '../../domain/policy.js';
import { SCOPES } from './policy.js';
import { TokenLimitsDto } from './token.dto.js';

export class LoginDto {
  /** The administrator's password. */
  @IsString()
  @MinLength(1)
  @MaxLength(200)
  readonly password: string;
}

export class CaproverLoginDto extends LoginDto {
  /** One-time codes are not in use here; what is sent is ignored. */
  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly otpToken?: string;
}

export class SessionDto {
  readonly token: string;
  /** ISO 8601. */
  readonly expires_at: string;
}

class CaproverSessionDto {
  readonly token: string;
}

export class CaproverLoginAnswerDto {
  /** 100: it worked. */
  readonly status: number;
  readonly description: string;
  readonly data: CaproverSessionDto;
}

export class ActorDto implements Actor {
  readonly kind: 'admin' | 'token' | 'system';
  readonly name: string;
  /** The agent that acts with this token. */
  readonly agent?: string;
  /** For whom, as the header `X-On-Behalf-Of` says. */
  readonly on_behalf_of?: string;
}

export class FreezeDto implements Freeze {
  /** ISO 8601. */
  readonly at: string;
  readonly by: ActorDto;
  readonly reason: string;
}

export class PrincipalDto {
  readonly actor: ActorDto;
  /** Of an API token. */
  readonly token_id?: string;
  @ApiProperty({ type: [String], enum: SCOPES })
  readonly scopes: readonly string[];
  /** The only apps these credentials may touch, as names or patterns with `*`; absent: all. */
  @ApiPropertyOptional({ type: [String] })
  readonly apps?: readonly string[];
  readonly limits?: TokenLimitsDto;
  /** Agents are frozen, and this is one: it may read only. */
  readonly frozen?: FreezeDto;
  /** The approval that the request brings along. */
  readonly approval_id?: string;
}
