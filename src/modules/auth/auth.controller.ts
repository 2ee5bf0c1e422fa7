/** Sessions for people, tokens for programs, and who one is. */
import { Body, Controller, Delete, Get, Header, HttpCode, Ip, Param, Post } from '@nestjs/common';
import type { Principal } from '../../domain/ports.js';
import { Audited } from './audited.js';
import { CurrentPrincipal } from './auth.guard.js';
import { AuthService } from './auth.service.js';
import { Policy, Public } from './policy.js';
import { LoginDto, PrincipalDto, SessionDto } from './session.dto.js';
import { CreatedTokenDto, CreateTokenDto, TokenListDto } from './token.dto.js';
import { tokenOrder } from './token-persona.js';

@Controller('api/v1')
export class AuthController {
  constructor(private readonly auth: AuthService) {}

  /** Logs the administrator in: the session's token goes into `Authorization: Bearer …`. */
  @Post('session')
  @Public('This is where credentials come from.')
  @Audited('session.create', 'admin')
  @Header('Cache-Control', 'no-store')
  createSession(@Body() { password }: LoginDto, @Ip() address: string): Promise<SessionDto> {
    return this.auth.login(password, address);
  }

  /** Whose credentials these are, and what they allow. */
  @Get('me')
  @Policy({ scope: 'any' })
  me(@CurrentPrincipal() principal: Principal): PrincipalDto {
    return principal;
  }

  /** Makes an API token. The answer is the only one that shows it. */
  @Post('tokens')
  @Policy({ scope: 'admin' })
  @Audited('token.create', ':id', ':name')
  @Header('Cache-Control', 'no-store')
  createToken(@Body() order: CreateTokenDto): Promise<CreatedTokenDto> {
    return this.auth.createToken(tokenOrder(order));
  }

  /** The newest thousand tokens, without the tokens themselves. */
  @Get('tokens')
  @Policy({ scope: 'admin' })
  async listTokens(): Promise<TokenListDto> {
    return { tokens: await this.auth.listTokens() };
  }

  /** Revokes a token: the next request with it is refused. */
  @Delete('tokens/:id')
  @Policy({ scope: 'admin' })
  @Audited('token.revoke', ':id')
  @HttpCode(204)
  async revokeToken(@Param('id') id: string): Promise<void> {
    await this.auth.revokeToken(id);
  }
}
