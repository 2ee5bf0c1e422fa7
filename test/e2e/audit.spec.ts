/** Every route that changes something leaves exactly one record, whether it does it or refuses to; and no secret ever gets there. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AuditListView, AuditVerdictView } from '../../src/modules/audit/audit.view.js';
import type { AuditEntry } from '../../src/domain/ports.js';
import type { Answer } from '../support/client.js';
import { run } from '../support/command-line.js';
import { expand } from '../support/json-ld.js';
import { ADMIN_PASSWORD } from '../support/server-process.js';
import { makeCertificate } from '../support/test-certificates.js';
import { serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

/** Sent wherever a secret may be sent, and in headers where nobody expects one. */
const PLANTED = 'planted-4711-secret';
/** Runs, and never becomes healthy. */
const NEVER_READY = { path: '/missing', interval_ms: 500, healthy_threshold: 1, deadline_ms: 120_000 };

type Ask = (method: string, path: string, body?: unknown) => Promise<Answer<Record<string, unknown>>>;
const LETTER = 'fdl-01m84grt1yy83tfdaztr1btp39';

interface Row {
  readonly action: string;
  /** What can only be refused here; elsewhere its success is seen with the parts that it needs. */
  readonly refused?: { readonly path: () => string; readonly code: string };
}

/** Routes as the server itself lists them. */
const ROWS: Readonly<Record<string, Row>> = {
  'POST /api/v1/session': { action: 'session.create' },
  'POST /api/v2/login': { action: 'session.create' },
  'POST /api/v1/tokens': { action: 'token.create' },
  'DELETE /api/v1/tokens/{id}': { action: 'token.revoke' },
  'POST /api/v1/registries': { action: 'registry.store' },
  'DELETE /api/v1/registries/{name}': { action: 'registry.delete' },
  'POST /api/v1/deploy': { action: 'deployment.create' },
  'POST /api/v1/deployments/{id}/cancel': { action: 'deployment.cancel' },
  'POST /api/v1/deployments/{id}/pause': { action: 'deployment.pause' },
  'POST /api/v1/deployments/{id}/resume': { action: 'deployment.resume' },
  'POST /api/v1/deployments/{id}/promote': { action: 'deployment.promote' },
  'POST /api/v1/deployments/{id}/abort': { action: 'deployment.abort' },
  'PATCH /api/v1/apps/{name}': { action: 'app.configure' },
  'POST /api/v1/apps/{name}/scale': { action: 'app.scale' },
  'POST /api/v1/apps/{name}/restart': { action: 'app.restart' },
  'POST /api/v1/apps/{name}/rollback': { action: 'app.rollback' },
  'DELETE /api/v1/apps/{name}': { action: 'app.delete' },
  'PUT /api/v1/apps/{name}/certificates': { action: 'certificate.upload' },
  'DELETE /api/v1/certificates/{id}': { action: 'certificate.delete' },
  'POST /api/v1/certificates/{id}/renew': {
    action: 'certificate.renew',
    refused: { path: () => `/api/v1/certificates/${certificate}/renew`, code: 'certificate_not_renewable' },
  },
  'POST /api/v1/agents/freeze': { action: 'agents.freeze' },
  'POST /api/v1/agents/unfreeze': { action: 'agents.unfreeze' },
  'POST /api/v1/approvals/{id}/approve': { action: 'approval.approve' },
  'POST /api/v1/approvals/{id}/reject': { action: 'approval.reject' },
  'POST /api/v1/deployments/{id}/notifications/{notification}/retry': {
    action: 'notification.retry',
    refused: { path: () => `/api/v1/deployments/${live}/notifications/ntf-0/retry`, code: 'notification_not_found' },
  },
  'POST /api/v1/flukebase/backfill': {
    action: 'flukebase.backfill',
    refused: { path: () => '/api/v1/flukebase/backfill', code: 'invalid_field' },
  },
  'POST /api/v1/flukebase/dead-letters/{letter}/replay': {
    action: 'flukebase.replay',
    refused: { path: () => `/api/v1/flukebase/dead-letters/${LETTER}/replay`, code: 'flukebase_off' },
  },
  'DELETE /api/v1/flukebase/dead-letters/{letter}': {
    action: 'flukebase.discard',
    refused: { path: () => `/api/v1/flukebase/dead-letters/${LETTER}`, code: 'dead_letter_not_found' },
  },
};
/** What changes nothing, though it is a POST. */
const LOOKS = ['POST /api/v1/validate', 'POST /api/v1/policy/explain', 'POST /api/v1/flukebase/check'];
const PUBLIC = ['POST /api/v1/session', 'POST /api/v2/login'];

let bench: Workbench;
let routes: string[];
let app: string;
let live: string;
let certificate: string;
/** A token that may look, and nothing else. */
let reader: string;
/** Routes whose success has left its record. */
const succeeded = new Set<string>();

beforeAll(async () => {
  bench = await Workbench.set({ FLUKEDEPLOY_CONCURRENCY: '4' });
  app = bench.app('web');
  const response = await fetch(`${bench.installation.server.url}/api/openapi.json`);
  const { paths } = (await response.json()) as { paths: Record<string, Record<string, unknown>> };
  routes = Object.entries(paths)
    .flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`))
    .filter((route) => !route.startsWith('GET ') && !LOOKS.includes(route));
  const { body } = await bench.client.request('POST', '/api/v1/tokens', { name: 'reader', scopes: ['read'] });
  reader = String(body['token']);
});
afterAll(() => bench.clear());

/** What the trail gets while this is done, but for what FlukeDeploy does by itself. */
async function recordsOf(
  work: () => Promise<Answer<unknown>>,
): Promise<{ answer: Answer<unknown>; records: readonly AuditEntry[] }> {
  const head = await bench.client.request<AuditVerdictView>('GET', '/api/v1/audit/verify');
  const answer = await work();
  const { body } = await bench.client.request<AuditListView>('GET', '/api/v1/audit?limit=10000');
  const records = body.entries.filter(({ number, actor }) => number > head.body.head.number && actor.kind !== 'system');
  return { answer, records };
}

const ask: Ask = (method, path, body) =>
  bench.client.request(method, path, body, { 'x-secret': PLANTED, 'x-request-id': PLANTED });

/** Does it, and expects exactly one record of it. */
async function change(
  route: string,
  path: string,
  body: unknown,
  target: string | RegExp,
): Promise<Record<string, unknown>> {
  const [method = ''] = route.split(' ');
  const { answer, records } = await recordsOf(() => ask(method, path, body));
  expect({ route, status: answer.status, body: answer.status < 300 ? '' : answer.body }).toEqual({
    route,
    status: expect.any(Number),
    body: '',
  });
  expect(records).toMatchObject([
    {
      action: ROWS[route]?.action,
      target: expect.stringMatching(target),
      outcome: 'succeeded',
      request_id: answer.headers.get('x-request-id'),
    },
  ]);
  succeeded.add(route);
  return answer.body as Record<string, unknown>;
}

it('knows every route that changes something', () => {
  expect(Object.keys(ROWS).sort()).toEqual(routes.sort());
});

describe('a change leaves one record', () => {
  it('of sessions and tokens', async () => {
    await change('POST /api/v1/session', '/api/v1/session', { password: ADMIN_PASSWORD }, 'admin');
    await change('POST /api/v2/login', '/api/v2/login', { password: ADMIN_PASSWORD }, 'admin');
    const { id } = await change(
      'POST /api/v1/tokens',
      '/api/v1/tokens',
      { name: 'a', scopes: ['read'] },
      /^[0-9a-f]{12}$/,
    );
    await change('DELETE /api/v1/tokens/{id}', `/api/v1/tokens/${String(id)}`, undefined, String(id));
  });

  it('of registries', async () => {
    const registry = { name: 'team', url: 'http://127.0.0.1:1/team', username: 'u', password: PLANTED };
    await change('POST /api/v1/registries', '/api/v1/registries', registry, 'team');
    await change('DELETE /api/v1/registries/{name}', '/api/v1/registries/team', undefined, 'team');
  });

  it('of an app', async () => {
    const spec = { app_name: app, ...serving('one'), env: { KEY: PLANTED }, secrets: { DEEP: PLANTED } };
    const first = await change('POST /api/v1/deploy', '/api/v1/deploy', spec, /^dep-/);
    live = String(first['deployment_id']);
    expect(await bench.client.ended(live)).toMatchObject({ status: 'success' });
    const orders = [
      ['PATCH /api/v1/apps/{name}', '', { env: { KEY: `${PLANTED}-2` } }],
      ['POST /api/v1/apps/{name}/scale', '/scale', { replicas: 2 }],
      ['POST /api/v1/apps/{name}/restart', '/restart', { reason: 'a test' }],
      ['POST /api/v1/apps/{name}/rollback', '/rollback', { release: 1 }],
    ] as const;
    for (const [route, rest, body] of orders) {
      const { deployment_id } = await change(route, `/api/v1/apps/${app}${rest}`, body, `^${app}/production$`);
      expect(await bench.client.ended(String(deployment_id))).toMatchObject({ status: 'success' });
    }
  });

  it('of agents, and of what people say to them', async () => {
    await change('POST /api/v1/agents/freeze', '/api/v1/agents/freeze', { reason: 'a test' }, 'agents');
    await change('POST /api/v1/agents/unfreeze', '/api/v1/agents/unfreeze', {}, 'agents');
    const order = { name: 'asking', scopes: ['deploy'], agent: 'OPERATOR', approval: {} };
    const asking = bench.client.withToken(
      String((await bench.client.request('POST', '/api/v1/tokens', order)).body['token']),
    );
    for (const word of ['approve', 'reject']) {
      const spec = { app_name: app, image: 'busybox:1', reason: word };
      const { answer, records } = await recordsOf(() => asking.request('POST', '/api/v1/deploy', spec));
      const { approval_id } = answer.body as { approval_id: string };
      expect(records).toMatchObject([
        {
          action: 'deployment.create',
          outcome: 'approval_required',
          rule: expect.stringMatching(`^approval: ${approval_id}: `),
        },
      ]);
      const path = `/api/v1/approvals/${approval_id}/${word}`;
      await change(`POST /api/v1/approvals/{id}/${word}`, path, {}, approval_id);
    }
  });

  it('of a rollout', async () => {
    const spec = { app_name: app, ...serving('never'), health_check: NEVER_READY };
    const id = (await bench.client.deploy(spec)).deployment_id;
    await bench.client.until(id, ({ rollout }) => rollout !== undefined);
    for (const word of ['pause', 'resume', 'promote', 'abort']) {
      await change(`POST /api/v1/deployments/{id}/${word}`, `/api/v1/deployments/${id}/${word}`, {}, id);
    }
    await bench.client.ended(id);
    const next = (await bench.client.deploy(spec)).deployment_id;
    await change('POST /api/v1/deployments/{id}/cancel', `/api/v1/deployments/${next}/cancel`, {}, next);
    await bench.client.ended(next);
  });

  it('of certificates', async () => {
    const own = await makeCertificate({ names: [`DNS:${app}.example`] });
    const path = `/api/v1/apps/${app}/certificates`;
    const { id } = await change('PUT /api/v1/apps/{name}/certificates', path, own, `${app}/production`);
    certificate = String(id);
  });

  it.each(Object.entries(ROWS).flatMap(([route, { refused }]) => (refused ? [[route, refused] as const] : [])))(
    'also where %s can only fail',
    async (route, { path, code }) => {
      const [method = ''] = route.split(' ');
      const { answer, records } = await recordsOf(() => ask(method, path(), method === 'DELETE' ? undefined : {}));
      expect(answer.body).toMatchObject({ code });
      expect(records).toMatchObject([{ action: ROWS[route]?.action, outcome: code }]);
      succeeded.add(route);
    },
  );

  it('of what is removed', async () => {
    const of = `/api/v1/certificates/${certificate}`;
    await change('DELETE /api/v1/certificates/{id}', of, undefined, certificate);
    await change('DELETE /api/v1/apps/{name}', `/api/v1/apps/${app}`, undefined, `${app}/production`);
  });

  it('and none of them was left out', () => {
    expect(routes.filter((route) => !succeeded.has(route))).toEqual([]);
  });
});

it.each(LOOKS)('%s leaves none, whatever it is told', async (route) => {
  const [method = '', path = ''] = route.split(' ');
  for (const body of [{}, { action: { kind: 'deploy', app_name: app } }]) {
    expect((await recordsOf(() => ask(method, path, body))).records).toEqual([]);
  }
});

describe('a refusal leaves one record', () => {
  it('of every route, of nobody and of a token that may not', async () => {
    for (const route of routes.filter((known) => !PUBLIC.includes(known))) {
      const [method = '', path = ''] = route.replaceAll(/\{(\w+)\}/g, 'some-$1').split(' ');
      for (const [token, status, code, name] of [
        [`fd_${PLANTED}`, 401, 'unauthenticated', 'anonymous'],
        [reader, 403, 'forbidden', 'reader'],
      ] as const) {
        const body = method === 'DELETE' ? undefined : { password: PLANTED };
        const { answer, records } = await recordsOf(() => bench.client.withToken(token).request(method, path, body));
        expect({ route, status: answer.status }).toEqual({ route, status });
        expect({ route, records }).toMatchObject({
          route,
          records: [{ action: ROWS[route]?.action, outcome: code, actor: { name }, rule: expect.any(String) }],
        });
        expect(records[0]?.request_id).toBe(answer.headers.get('x-request-id'));
      }
    }
  });

  it.each(PUBLIC)('of %s with a wrong password', async (route) => {
    const [method = '', path = ''] = route.split(' ');
    const { records } = await recordsOf(() => ask(method, path, { password: PLANTED }));
    expect(records).toMatchObject([{ action: 'session.create', outcome: 'wrong_password' }]);
  });
});

describe('the trail as a whole', () => {
  it('is valid, holds no secret, and is JSON-LD of which nothing is dropped; its export proves itself offline', async () => {
    const { url } = bench.installation.server;
    const headers = { authorization: `Bearer ${bench.client.token}`, accept: 'application/x-ndjson' };
    const text = await (await fetch(`${url}/api/v1/audit`, { headers })).text();
    for (const secret of [PLANTED, ADMIN_PASSWORD, reader, 'PRIVATE KEY']) expect(text).not.toContain(secret);
    const lines = text.trimEnd().split('\n');
    for (const line of lines) expect(await expand(JSON.parse(line))).toHaveLength(1);

    const { body } = await bench.client.request<AuditVerdictView>('GET', '/api/v1/audit/verify');
    expect(body).toMatchObject({ valid: true });
    const file = join(bench.installation.directory, 'export.ndjson');
    await writeFile(file, text);
    const anchor = `${body.head.number}:${body.head.hash}`;
    expect(await run(['audit', 'verify', '--file', file, '--anchor', anchor])).toMatchObject({ code: 0 });
    await writeFile(file, lines.with(3, (lines[3] ?? '').replace('"outcome":"', '"outcome":"not_')).join('\n'));
    expect(await run(['audit', 'verify', '--file', file])).toMatchObject({ code: 1 });

    const environment = { FLUKEDEPLOY_URL: url, FLUKEDEPLOY_TOKEN: bench.client.token };
    expect(await run(['audit', 'verify'], { environment })).toMatchObject({ code: 0 });
    const listed = await run(['audit', '--action', 'app.scale'], { environment });
    expect(listed.stdout).toContain(`app.scale  ${app}/production  succeeded`);
  });
});
