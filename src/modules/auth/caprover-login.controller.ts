/** Login as CapRover's own clients do it: every answer is HTTP 200, and the body's status tells how it went. */
import { type ArgumentsHost, Body, Catch, Controller, type ExceptionFilter } from '@nestjs/common';
import { Header, HttpCode, Ip, Post, UseFilters } from '@nestjs/common';
import type { Response } from 'express';
import { DeployError } from '../../domain/errors.js';
import { Audited } from './audited.js';
import { AuthService } from './auth.service.js';
import { Public } from './policy.js';
import { CaproverLoginAnswerDto, CaproverLoginDto } from './session.dto.js';

const OK = 100;
const FAILED = 1000;
const WRONG_PASSWORD = 1105;
const BACK_OFF = 1113;

@Catch(DeployError)
class CaproverLoginFilter implements ExceptionFilter<DeployError> {
  catch({ code, message }: DeployError, host: ArgumentsHost): void {
    const status = code === 'wrong_password' ? WRONG_PASSWORD : code === 'too_many_requests' ? BACK_OFF : FAILED;
    host.switchToHttp().getResponse<Response>().status(200).json({ status, description: message, data: {} });
  }
}

@Controller('api/v2')
@UseFilters(CaproverLoginFilter)
export class CaproverLoginController {
  constructor(private readonly auth: AuthService) {}

  /** For `caprover login`: the token goes into the header `x-captain-auth`. */
  @Post('login')
  @HttpCode(200)
  @Public('This is where credentials come from.')
  @Audited('session.create', 'admin')
  @Header('Cache-Control', 'no-store')
  async login(@Body() { password }: CaproverLoginDto, @Ip() address: string): Promise<CaproverLoginAnswerDto> {
    const { token } = await this.auth.login(password, address);
    return { status: OK, description: 'Login succeeded', data: { token } };
  }
}
