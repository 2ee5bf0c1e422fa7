/** The OpenAPI description is complete: every route with its body, its answer and its errors, and no dangling reference. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestInstallation } from '../support/server-process.js';

interface Operation {
  readonly operationId: string;
  readonly summary?: string;
  readonly requestBody?: {
    readonly content: Record<string, { readonly schema: { readonly properties?: Record<string, unknown> } }>;
  };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: unknown }> }>;
}
interface Description {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown> };
}

let installation: TestInstallation;
let text: string;
let description: Description;

beforeAll(async () => {
  installation = await TestInstallation.create();
  text = await (await fetch(`${installation.server.url}/api/openapi.json`)).text();
  description = JSON.parse(text) as Description;
});
afterAll(() => installation.remove());

const operations = () =>
  Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
  );

describe('the OpenAPI description', () => {
  it('is of version 3.1 and names every route of the contract', () => {
    expect(description.openapi).toMatch(/^3\.1\./);
    expect(operations().map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        'POST /api/v1/deploy',
        'POST /api/v1/validate',
        'GET /api/v1/deployments',
        'GET /api/v1/deployments/{id}',
        'GET /api/v1/deployments/{id}/logs',
        'GET /api/v1/deployments/active',
        'GET /api/v1/deployments/stats',
        'POST /api/v1/deployments/{id}/cancel',
        'GET /api/v1/apps/{name}/deployments',
        'GET /api/v1/logs',
        'POST /api/v1/tokens',
        'GET /api/v1/tokens',
        'DELETE /api/v1/tokens/{id}',
        'POST /api/v1/session',
        'POST /api/v2/login',
        'GET /health/live',
        'GET /health/ready',
        'GET /schemas/unified-log',
      ]),
    );
  });

  it('says of every route what it answers, and that errors are problem documents', () => {
    for (const { name, operation } of operations()) {
      const answers = Object.entries(operation.responses).filter(([status]) => /^2/.test(status));
      expect([name, answers.length]).toEqual([name, 1]);
      const [status, answer] = answers[0] ?? ['', undefined];
      const types = Object.keys(answer?.content ?? {});
      expect({ name, hasBody: types.length > 0 }).toEqual({ name, hasBody: status !== '204' });
      expect([name, operation.responses['default']?.content]).toEqual([
        name,
        { 'application/problem+json': { schema: { $ref: '#/components/schemas/ProblemDto' } } },
      ]);
    }
  });

  it.each([
    ['deploy', 'DeployDto'],
    ['validate', 'ValidateDto'],
  ])('has both forms of the body of %s', (route, schema) => {
    const content = description.paths[`/api/v1/${route}`]?.['post']?.requestBody?.content ?? {};
    expect(content['application/json']?.schema).toEqual({ $ref: `#/components/schemas/${schema}` });
    expect(Object.keys(content['multipart/form-data']?.schema.properties ?? {})).toEqual(['spec', 'source']);
  });

  it('refers to nothing that it does not hold', () => {
    const references = [...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name ?? '');
    expect(references.length).toBeGreaterThan(10);
    for (const name of references) expect(Object.keys(description.components.schemas)).toContain(name);
  });

  it('is shown as a page', async () => {
    const page = await fetch(`${installation.server.url}/api/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toContain('text/html');
  });
});
