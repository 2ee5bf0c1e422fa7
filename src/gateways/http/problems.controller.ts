/** Publishes the table of error codes: the `type` of each problem document leads here. */
import { Controller, Get, Param } from '@nestjs/common';
import { DeployError, type ErrorCode, ERRORS } from '../../domain/errors.js';
import { Public } from '../../modules/auth/index.js';
import { problemType } from './problem.js';
import { ProblemListDto, ProblemTypeDto } from './problems.dto.js';

@Controller('problems')
@Public('Documentation, the same on every server.')
export class ProblemsController {
  /** Every error code, with what it means and what to try next. */
  @Get()
  list(): ProblemListDto {
    return { problems: (Object.keys(ERRORS) as ErrorCode[]).map(problemType) };
  }

  /** One error code. */
  @Get(':code')
  find(@Param('code') code: string): ProblemTypeDto {
    if (!Object.hasOwn(ERRORS, code)) throw new DeployError('not_found', 'No error has this code.');
    return problemType(code as ErrorCode);
  }
}
