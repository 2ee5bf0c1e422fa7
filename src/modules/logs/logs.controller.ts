/** REST: the log of all deployments. */
import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { toEntry } from '../../domain/log-entry.js';
import { LogStore, type Principal } from '../../domain/ports.js';
import { CurrentPrincipal, Policy } from '../auth/index.js';
import { LogsView } from './entries.view.js';
import { LogsQuery } from './logs.dto.js';

@ApiTags('logs')
@Controller('api/v1')
export class LogsController {
  constructor(private readonly store: LogStore) {}

  /** Entries in the order of the stream, oldest first. */
  @Get('logs')
  @Policy({ scope: 'read' })
  async query(@Query() query: LogsQuery, @CurrentPrincipal() { apps }: Principal): Promise<LogsView> {
    const {
      cursor,
      since_minutes = cursor === undefined ? 60 : undefined,
      limit = 1000,
      offset = 0,
      ...filter
    } = query;
    // Who reads on from a cursor wants everything since, however long ago that was.
    const since = since_minutes === undefined ? undefined : new Date(Date.now() - since_minutes * 60_000).toISOString();
    const page = await this.store.query(
      { ...filter, ...(since && { since }), ...(apps && { apps }) },
      { limit, offset, ...(cursor && { cursor }) },
    );
    return {
      entries: page.rows.map(toEntry),
      total: page.total,
      ...(page.total_capped && { total_capped: true }),
      limit,
      offset,
      next_cursor: page.next_cursor,
      ...(page.gap && { gap: page.gap }),
    };
  }
}
