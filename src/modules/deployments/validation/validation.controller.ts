/** REST: what would become of a deployment, without making it. */
import { rm } from 'node:fs/promises';
import { Controller, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DeployError } from '../../../domain/errors.js';
import type { Principal } from '../../../domain/ports.js';
import { CurrentPrincipal, Policy, requireApp, Unaudited } from '../../auth/index.js';
import { LogHub } from '../../logs/index.js';
import { DeployBody } from '../deploy-body.js';
import { ValidateDto } from './validate.dto.js';
import { ValidationView } from './validation.view.js';
import { Validator } from './validator.js';

@ApiTags('deployments')
@Controller('api/v1')
export class ValidationController {
  constructor(
    private readonly validator: Validator,
    private readonly bodies: DeployBody,
    private readonly hub: LogHub,
  ) {}

  /** Runs every gate of a deployment that changes nothing, and tells what would be done. Nothing is deployed, claimed or left behind. */
  @Post('validate')
  @HttpCode(200)
  @Policy({ scope: 'deploy' })
  @Unaudited('Nothing is changed.')
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiBody({ type: ValidateDto })
  async validate(
    @Req() request: Request,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<ValidationView> {
    const { dto, archive } = await this.bodies.read(request, ValidateDto);
    try {
      requireApp(principal, dto.app_name);
      return await this.validator.validate({ dto, archive, principal }, this.#over(response));
    } finally {
      if (archive) await rm(archive.path, { force: true });
    }
  }

  /** Aborts when nobody waits for the answer any more, or the server shuts down. */
  #over(response: Response): AbortSignal {
    const over = new AbortController();
    response.on('close', () => over.abort(new DeployError('cancelled', 'The client has gone.')));
    const leave = (): void => over.abort(new DeployError('unavailable', 'The server shuts down.'));
    this.hub.closing.addEventListener('abort', leave, { signal: over.signal });
    return over.signal;
  }
}
