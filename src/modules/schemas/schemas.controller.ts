/** REST: what entries of the log and the audit trail mean (JSON-LD contexts and vocabularies), and how a log entry is built (JSON Schema). */
import { createHash } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { Response } from 'express';
import { AUDIT_CONTEXT, AUDIT_VOCABULARY } from '../../domain/audit-context.js';
import { LOG_CONTEXT } from '../../domain/log-context.js';
import { LOG_SCHEMA } from '../../domain/log-schema.js';
import { LOG_VOCABULARY } from '../../domain/log-vocabulary.js';
import { Public } from '../auth/index.js';

interface PublishedDocument {
  readonly text: string;
  readonly etag: string;
  readonly type: string;
}

function published(type: string, document: object): PublishedDocument {
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  return { text, type, etag: `"${createHash('sha256').update(text).digest('base64url')}"` };
}

const CONTEXT = published('application/ld+json', LOG_CONTEXT);
const VOCABULARY = published('application/ld+json', LOG_VOCABULARY);
const AUDIT = published('application/ld+json', AUDIT_CONTEXT);
const AUDIT_WORDS = published('application/ld+json', AUDIT_VOCABULARY);
const SCHEMA = published('application/schema+json', LOG_SCHEMA);

const contentOf = ({ type }: PublishedDocument) => ({ content: { [type]: { schema: { type: 'object' as const } } } });

/**
 * Any page of any origin may load it, and keeps it for a day; whoever has it already is answered with 304. Express would
 * not do that for clients that also send `Cache-Control: no-cache`, as Node's own fetch does.
 */
function send({ text, etag, type }: PublishedDocument, known: string | undefined, response: Response): string {
  response.set({
    'Content-Type': type,
    ETag: etag,
    'Cache-Control': 'public, max-age=86400',
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  });
  const tags = known?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  if (tags.includes(etag) || tags.includes('*')) response.status(304);
  return text;
}

@ApiTags('schemas')
@Controller()
@Public('whoever reads a log entry needs to know what it means')
export class SchemasController {
  /** The JSON-LD 1.1 context of a log entry. */
  @Get('schemas/unified-log')
  @ApiOkResponse(contentOf(CONTEXT))
  context(@Headers('if-none-match') known: string | undefined, @Res({ passthrough: true }) response: Response): string {
    return send(CONTEXT, known, response);
  }

  /** The JSON Schema (2020-12) of a log entry. */
  @Get('schemas/unified-log.schema.json')
  @ApiOkResponse(contentOf(SCHEMA))
  schema(@Headers('if-none-match') known: string | undefined, @Res({ passthrough: true }) response: Response): string {
    return send(SCHEMA, known, response);
  }

  /** The vocabulary: every term that is our own, with its label and comment. */
  @Get('ns/log')
  @ApiOkResponse(contentOf(VOCABULARY))
  vocabulary(
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): string {
    return send(VOCABULARY, known, response);
  }

  /** The JSON-LD 1.1 context of an entry of the audit trail. */
  @Get('schemas/audit-log')
  @ApiOkResponse(contentOf(AUDIT))
  auditContext(
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): string {
    return send(AUDIT, known, response);
  }

  /** The vocabulary of the audit trail. */
  @Get('ns/audit')
  @ApiOkResponse(contentOf(AUDIT_WORDS))
  auditVocabulary(
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) response: Response,
  ): string {
    return send(AUDIT_WORDS, known, response);
  }
}
