/** REST: how far FlukeBase has been told, what it would not take, and history for it. */
import { Body, Controller, Delete, Get, HttpCode, Inject, Optional, Param, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { DeployError } from '../../domain/errors.js';
import { FlukeBase, FlukeBaseStore } from '../../domain/ports.js';
import { Audited, Policy, Unaudited } from '../auth/index.js';
import { deliveryFindings } from './flukebase-health.js';
import { FlukeBaseOptions } from './flukebase-options.js';
import { BackfillDto, DeadLetterParams, DeadLettersQuery } from './flukebase.dto.js';
import { BackfilledView, DeadLetterListView, FlukeBaseCheckView, FlukeBaseView } from './flukebase.view.js';

const PAGE = 100;

@ApiTags('flukebase')
@Controller('api/v1/flukebase')
export class FlukeBaseController {
  constructor(
    private readonly store: FlukeBaseStore,
    private readonly options: FlukeBaseOptions,
    @Optional() @Inject(FlukeBase) private readonly flukebase?: FlukeBase,
  ) {}

  /** How much waits, since when, and whether FlukeBase takes it. */
  @Get()
  @Policy({ scope: 'read' })
  async standing(): Promise<FlukeBaseView> {
    const { isOn: enabled, url } = this.options;
    if (!enabled) return { enabled, url, waiting: 0, lag_seconds: 0, dead: 0, breaker: 'closed' };
    const { upstream, ...standing } = await this.store.standing();
    return { enabled, url, ...standing, ...upstream };
  }

  /** Asks FlukeBase something that changes nothing, and looks at what became of what was sent last. */
  @Post('check')
  @HttpCode(200)
  @Policy({ scope: 'admin' })
  @Unaudited('it only asks FlukeBase whether it answers')
  async check(): Promise<FlukeBaseCheckView> {
    if (this.flukebase === undefined) throw new DeployError('flukebase_off');
    const asked = await this.flukebase.check(true, new AbortController().signal);
    const findings = [...asked, ...(await deliveryFindings(this.store))];
    return { works: findings.every(({ ok }) => ok), findings };
  }

  /** Queues the logs and summaries of deployments that FlukeBase was never told of, a page at a time; the present goes first. */
  @Post('backfill')
  @HttpCode(202)
  @Policy({ scope: 'admin' })
  @Audited('flukebase.backfill', ':since')
  async backfill(
    @Body() { since, until = new Date().toISOString(), limit = PAGE, cursor }: BackfillDto,
  ): Promise<BackfilledView> {
    this.#requireOn();
    return this.store.backfill({ since, until }, limit, cursor);
  }

  /** Newest first. */
  @Get('dead-letters')
  @Policy({ scope: 'admin' })
  async deadLetters(@Query() { limit = PAGE, before }: DeadLettersQuery): Promise<DeadLetterListView> {
    return { dead_letters: await this.store.deadLetters(limit, before) };
  }

  /** Sends it again: entries as they were, a summary or a task as it is now. */
  @Post('dead-letters/:letter/replay')
  @HttpCode(204)
  @Policy({ scope: 'admin' })
  @Audited('flukebase.replay', ':letter')
  async replay(@Param() { letter }: DeadLetterParams): Promise<void> {
    this.#requireOn();
    if (!(await this.store.replay(letter))) throw new DeployError('dead_letter_not_found');
  }

  /** FlukeBase will never be told. */
  @Delete('dead-letters/:letter')
  @HttpCode(204)
  @Policy({ scope: 'admin' })
  @Audited('flukebase.discard', ':letter')
  async discard(@Param() { letter }: DeadLetterParams): Promise<void> {
    if (!(await this.store.discard(letter))) throw new DeployError('dead_letter_not_found');
  }

  #requireOn(): void {
    if (!this.options.isOn) throw new DeployError('flukebase_off');
  }
}
