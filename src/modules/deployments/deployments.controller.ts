/** REST: deployments. */
import { rm } from 'node:fs/promises';
import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiTags } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { toEntry } from '../../domain/log-entry.js';
import { isFinal, PHASES, type DeploymentStatus } from '../../domain/phases.js';
import { LogStore, type LogFilter, type LogPage, type Principal } from '../../domain/ports.js';
import { Audited, CurrentPrincipal, Policy, requireApp } from '../auth/index.js';
import { DeploymentLogsView, LogHub, NO_PHASE } from '../logs/index.js';
import { DeployRequests } from './deploy-request.js';
import { DeployDto } from './deploy.dto.js';
import { AppHistoryView, DeploymentListView, DeploymentStatsView, DeploymentView } from './deployment.view.js';
import {
  AppParams,
  CancelDto,
  DeploymentLogsQuery,
  DeploymentParams,
  HistoryQuery,
  PageQuery,
  StatusQuery,
} from './deployments.dto.js';
import { DeploymentsService } from './deployments.service.js';
import { DeployBody } from './deploy-body.js';
import { IdempotencyKey, Idempotent } from './idempotency.js';

const ACTIVE = ['pending', 'building', 'deploying'] as const;

@ApiTags('deployments')
@Controller('api/v1')
export class DeploymentsController {
  constructor(
    private readonly deployments: DeploymentsService,
    private readonly requests: DeployRequests,
    private readonly bodies: DeployBody,
    private readonly logs: LogStore,
    private readonly hub: LogHub,
  ) {}

  /** Takes an app from its source or image to a verified, running service. Answers at once; watch the links. */
  @Post('deploy')
  @HttpCode(202)
  @Policy({ scope: 'deploy' })
  @Audited('deployment.create', ':deployment_id', ':app_name')
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiBody({ type: DeployDto })
  @Idempotent()
  async deploy(
    @Req() request: Request,
    @CurrentPrincipal() principal: Principal,
    @IdempotencyKey() key: string | undefined,
  ): Promise<DeploymentView> {
    const { dto, archive } = await this.bodies.read(request, DeployDto);
    try {
      requireApp(principal, dto.app_name);
      const order = await this.requests.order(dto, archive, principal, key);
      return await this.deployments.deploy(order, principal);
    } finally {
      if (archive) await rm(archive.path, { force: true });
    }
  }

  @Get('deployments')
  @Policy({ scope: 'read' })
  list(@Query() page: PageQuery, @CurrentPrincipal() principal: Principal): Promise<DeploymentListView> {
    return this.deployments.list(limitedTo(principal), { limit: page.limit ?? 100, offset: page.offset ?? 0 });
  }

  @Get('deployments/active')
  @Policy({ scope: 'read' })
  active(@CurrentPrincipal() principal: Principal): Promise<DeploymentListView> {
    return this.deployments.list(
      { ...limitedTo(principal), statuses: ACTIVE },
      { limit: LIMITS.page_deployments, offset: 0 },
    );
  }

  @Get('deployments/stats')
  @Policy({ scope: 'read' })
  stats(@CurrentPrincipal() { apps }: Principal): Promise<DeploymentStatsView> {
    return this.deployments.stats(apps);
  }

  @Get('deployments/:id')
  @Policy({ scope: 'read' })
  async status(
    @Param() { id }: DeploymentParams,
    @Query() { wait_seconds = 0 }: StatusQuery,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeploymentView> {
    await this.#readable(id, principal);
    return this.deployments.view(id, wait_seconds, goneWith(response));
  }

  /** Entries grouped by phase; those of no phase stand under `deployment`. */
  @Get('deployments/:id/logs')
  @Policy({ scope: 'read' })
  async entries(
    @Param() { id }: DeploymentParams,
    @Query() { phase, level, cursor, limit = 1000, wait_seconds = 0 }: DeploymentLogsQuery,
    @CurrentPrincipal() principal: Principal,
    @Res({ passthrough: true }) response: Response,
  ): Promise<DeploymentLogsView> {
    await this.#readable(id, principal);
    const after = cursor ?? (await this.logs.bounds()).beginning;
    const filter = { deployment_id: id, ...(phase && { phase }), ...(level && { level }) };
    const over = AbortSignal.any([goneWith(response), this.hub.closing, AbortSignal.timeout(wait_seconds * 1000)]);
    const wait = wait_seconds > 0 ? over : AbortSignal.abort();
    const { status, page } = await this.#entriesAfter(id, after, filter, limit, wait);
    const phases = Object.fromEntries(
      [NO_PHASE, ...PHASES].map((name) => [name, []]),
    ) as unknown as DeploymentLogsView['phases'];
    for (const row of page.rows) phases[row.phase ?? NO_PHASE].push(toEntry(row));
    const { next_cursor, gap } = page;
    return {
      deployment_id: id,
      status,
      phases,
      next_cursor,
      has_more: page.rows.length === limit,
      ...(gap && { gap }),
    };
  }

  @Get('apps/:name/deployments')
  @Policy({ scope: 'read' })
  async history(
    @Param() { name }: AppParams,
    @Query() { limit = 100, offset = 0, environment }: HistoryQuery,
    @CurrentPrincipal() principal: Principal,
  ): Promise<AppHistoryView> {
    requireApp(principal, name);
    if (!(await this.deployments.appExists(name))) throw new DeployError('app_not_found');
    const filter = { app_name: name, ...(environment && { environment }) };
    return { app_name: name, ...(await this.deployments.list(filter, { limit, offset })), limit, offset };
  }

  @Post('deployments/:id/cancel')
  @HttpCode(202)
  @Policy({ scope: 'deploy' })
  @Audited('deployment.cancel', ':id')
  async cancel(
    @Param() { id }: DeploymentParams,
    @Body() body: CancelDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<DeploymentView> {
    await this.#readable(id, principal);
    return this.deployments.cancel(id, principal, body.reason ?? '');
  }

  /** The page, or the first one that holds something, as long as something may still come. */
  async #entriesAfter(
    id: string,
    after: string,
    filter: LogFilter,
    limit: number,
    over: AbortSignal,
  ): Promise<{ status: DeploymentStatus; page: LogPage }> {
    for (;;) {
      const changed = this.hub.changed(id, over);
      // Asked before reading: when it is final, the last entry can be read, and what ends afterwards brings a change.
      const { status } = (await this.deployments.find(id)).state;
      const page = await this.logs.read(after, filter, limit);
      if (page.rows.length > 0 || isFinal(status) || over.aborted) return { status, page };
      await changed;
    }
  }

  /** A deployment of a foreign app is not there, as far as this principal can tell. */
  async #readable(id: string, principal: Principal): Promise<void> {
    const record = await this.deployments.find(id);
    requireApp(principal, record.state.identity.app_name, 'deployment_not_found');
  }
}

function limitedTo({ apps }: Principal): { apps?: readonly string[] } {
  return apps ? { apps } : {};
}

/** Aborts when the client has gone, so that nobody waits for it. */
function goneWith(response: Response): AbortSignal {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  return gone.signal;
}
