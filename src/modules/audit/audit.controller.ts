/** REST: the audit trail, to look at, to take along, and to prove. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Controller, Get, Logger, Query, Req, Res } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { linkedEntry } from '../../domain/audit-context.js';
import type { AuditFilter } from '../../domain/ports.js';
import { Policy } from '../auth/index.js';
import { AuditReader } from './audit-reader.js';
import { AuditQuery, AuditVerifyQuery, type AuditFormat } from './audit.dto.js';
import { AuditEntryView, AuditListView, AuditVerdictView } from './audit.view.js';

const TYPES = {
  json: 'application/json',
  'json-ld': 'application/ld+json',
  ndjson: 'application/x-ndjson',
} as const satisfies Record<AuditFormat, string>;
const FORMATS = Object.keys(TYPES) as AuditFormat[];
const PAGE_ENTRIES = 1_000;

const ENTRY = { $ref: getSchemaPath(AuditEntryView) };

@ApiTags('audit')
@Controller('api/v1/audit')
export class AuditController {
  readonly #logger = new Logger('Audit');

  constructor(private readonly reader: AuditReader) {}

  /** Every change and every refusal, oldest first; as JSON-LD, or all of it as NDJSON, whose lines are JSON-LD too. */
  @Get()
  @Policy({ scope: 'admin' })
  @ApiExtraModels(AuditListView, AuditEntryView)
  @ApiOkResponse({
    content: {
      [TYPES.json]: { schema: { $ref: getSchemaPath(AuditListView) } },
      [TYPES['json-ld']]: { schema: { type: 'array', items: ENTRY } },
      [TYPES.ndjson]: { schema: ENTRY },
    },
  })
  async query(
    @Query() { cursor, limit, format, ...filter }: AuditQuery,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const wanted = format ?? acceptedBy(request);
    if (wanted === 'ndjson') return this.#export(filter, cursor, limit, response);
    const size = limit ?? PAGE_ENTRIES;
    const page = await this.reader.page(filter, size, cursor);
    response.type(TYPES[wanted]);
    if (wanted === 'json') {
      response.send(JSON.stringify({ ...page, entries: [...page.entries], limit: size } satisfies AuditListView));
      return;
    }
    if (page.has_more) response.links({ next: nextPage(request, page.next_cursor) });
    response.send(JSON.stringify(page.entries.map(linkedEntry)));
  }

  /** Follows the chain from its first entry to its last one. */
  @Get('verify')
  @Policy({ scope: 'admin' })
  verify(@Query() { anchor }: AuditVerifyQuery): Promise<AuditVerdictView> {
    const [number, hash] = anchor?.split(':') ?? [];
    return this.reader.verify(hash === undefined ? undefined : { number: Number(number), hash });
  }

  /** As fast as the client reads, and never more in memory than a page. */
  async #export(
    filter: AuditFilter,
    cursor: string | undefined,
    limit: number | undefined,
    response: Response,
  ): Promise<void> {
    const entries = this.reader.entries(filter, cursor, limit);
    // What is wrong from the start can still be answered as an error.
    const first = await entries.next();
    const lines = async function* (): AsyncGenerator<string> {
      if (first.done === true) return;
      yield lineOf(first.value);
      for await (const entry of entries) yield lineOf(entry);
    };
    response.type(TYPES.ndjson);
    // Half an export must not look like a whole one: the pipeline breaks the connection off.
    await pipeline(Readable.from(lines()), response).catch((error: unknown) => {
      this.#logger.warn(`An export broke off: ${String(error)}`);
    });
  }
}

const lineOf = (entry: Parameters<typeof linkedEntry>[0]): string => `${JSON.stringify(linkedEntry(entry))}\n`;

function acceptedBy(request: Request): AuditFormat {
  const type = request.accepts(Object.values(TYPES));
  return FORMATS.find((format) => TYPES[format] === type) ?? 'json';
}

/** Relative to the request, as whoever is in front of us knows our address better. */
function nextPage({ query }: Request, cursor: string): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (typeof value === 'string') parameters.set(name, value);
  parameters.set('cursor', cursor);
  return `?${parameters.toString()}`;
}
