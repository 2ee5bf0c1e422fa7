/** The published documents over real HTTP: type, caching, other origins, and that they are the ones the tests prove. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { AUDIT_CONTEXT, AUDIT_CONTEXT_URL, AUDIT_NAMESPACE, AUDIT_VOCABULARY } from '../../domain/audit-context.js';
import { LOG_CONTEXT } from '../../domain/log-context.js';
import { LOG_CONTEXT_URL } from '../../domain/log-entry.js';
import { LOG_SCHEMA, LOG_SCHEMA_URL } from '../../domain/log-schema.js';
import { LOG_NAMESPACE, LOG_VOCABULARY } from '../../domain/log-vocabulary.js';
import { setUpHttp } from '../../gateways/http/http-server.js';
import { SchemasModule } from './index.js';

let app: NestExpressApplication;
let origin: string;
beforeAll(async () => {
  const testing = await Test.createTestingModule({ imports: [SchemasModule] }).compile();
  app = testing.createNestApplication<NestExpressApplication>({ bodyParser: false });
  setUpHttp(app);
  await app.listen(0, '127.0.0.1');
  origin = await app.getUrl();
});
afterAll(() => app.close());

const here = (url: string) => `${origin}${new URL(url).pathname}`;

describe.each([
  ['the context', LOG_CONTEXT_URL, 'application/ld+json', LOG_CONTEXT],
  ['the schema', LOG_SCHEMA_URL, 'application/schema+json', LOG_SCHEMA],
  ['the vocabulary', LOG_NAMESPACE, 'application/ld+json', LOG_VOCABULARY],
  ['the context of the audit trail', AUDIT_CONTEXT_URL, 'application/ld+json', AUDIT_CONTEXT],
  ['the vocabulary of the audit trail', AUDIT_NAMESPACE, 'application/ld+json', AUDIT_VOCABULARY],
])('%s', (_, url, type, document) => {
  it('is served where its URL points, to any origin, cacheable', async () => {
    const response = await fetch(here(url), { headers: { origin: 'https://elsewhere.example' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')?.split(';')[0]).toBe(type);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(response.headers.get('cache-control')).toBe('public, max-age=86400');
    expect(await response.json()).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('is not sent again to whoever has it', async () => {
    const etag = (await fetch(here(url))).headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    const again = await fetch(here(url), { headers: { 'if-none-match': etag } });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const changed = await fetch(here(url), { headers: { 'if-none-match': '"older"' } });
    expect(changed.status).toBe(200);
    await changed.body?.cancel();
  });
});
