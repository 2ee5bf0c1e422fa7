/** Everything that clients can get wrong: each mistake has its exact answer, and after all of them nothing is left and all works. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { Client } from '../support/client.js';
import { openDatabase } from '../support/installation-database.js';
import { leftovers, NOTHING_LEFT } from '../support/leftovers.js';
import { rawBytes, rawRequest } from '../support/raw-http.js';
import { TestInstallation } from '../support/server-process.js';
import { StreamProbe } from '../support/stream-probe.js';
import { SwarmState } from '../support/swarm-state.js';
import { until } from '../support/until.js';
import { evilArchives } from './bad-input.archives.table.js';
import { FREE_TEXTS, goodApp } from './bad-input.good-app.js';
import { beginUpload, wrongWith } from './bad-input.refusal.js';
import { type Asker, DEPLOY } from './bad-input.row.js';
import { BAD_MESSAGES, BAD_PARAMETERS, FOREIGN_ORIGINS } from './bad-input.stream.table.js';
import { BAD_REQUESTS } from './bad-input.table.js';

const app = `fdbad-${randomBytes(4).toString('hex')}`;
const ESCAPE = join(tmpdir(), `${app}-escaped`);
let installation: TestInstallation;
let client: Client;
let tokens: Readonly<Record<Asker, string | undefined>>;
const swarm = new SwarmState(app);

beforeAll(async () => {
  installation = await TestInstallation.create({ UPLOAD_LIMIT_MB: '1', ROOT_DOMAIN: 'apps.test' });
  client = await Client.logIn(() => installation.server.url);
  tokens = {
    admin: client.token,
    reader: await newToken({ scopes: ['read'] }),
    deployer: await newToken({ scopes: ['deploy'] }),
    restricted: await newToken({ scopes: ['read', 'deploy'], apps: [`${app}-others-*`] }),
    expired: await newToken({ scopes: ['admin'], name: 'expired' }),
    revoked: await newToken({ scopes: ['admin'], name: 'revoked' }),
    nobody: undefined,
  };
  const database = await openDatabase(installation.directory);
  try {
    await database.query(`update tokens set expires_at = now() - interval '1 second' where name = 'expired'`);
    await database.query(`update tokens set revoked_at = now() where name = 'revoked'`);
  } finally {
    await database.close();
  }
});
afterAll(async () => {
  await swarm.clean();
  await installation.remove();
});

async function newToken(order: object): Promise<string> {
  const { body } = await client.request('POST', '/api/v1/tokens', { name: 'test', ...order });
  return String(body['token']);
}

/** Waits until what a request or deployment leaves behind is gone, which may take a moment after its answer. */
async function expectNothingLeft(): Promise<void> {
  let found = await leftovers(installation, app);
  const isClean = async () => {
    found = await leftovers(installation, app);
    return JSON.stringify(found) === JSON.stringify(NOTHING_LEFT);
  };
  await until(isClean, 'nothing is left').catch(() => undefined);
  expect(found).toEqual(NOTHING_LEFT);
}

describe('a request is refused for', () => {
  it.each(Object.entries(BAD_REQUESTS))('%s', async (_, rows) => {
    expect(new Set(rows.map(({ name }) => name)).size).toBeGreaterThan(20);
    const wrong: unknown[] = [];
    for (const row of rows) wrong.push(...(await wrongWith(row, installation.server.url, tokens[row.as ?? 'admin'])));
    expect(wrong).toEqual([]);
    await expectNothingLeft();
  });

  it('what is no HTTP at all', async () => {
    const { url } = installation.server;
    const ask = (line: string, ...headers: string[]) =>
      rawBytes(url, `${[line, 'host: x', 'connection: close', ...headers].join('\r\n')}\r\n\r\n`);
    const long = 'x'.repeat(20_000);
    await expect(ask(`GET /api/v1/logs?app_name=${long} HTTP/1.1`)).resolves.toMatch('HTTP/1.1 431');
    await expect(ask('GET /health/live HTTP/1.1', `x: ${long}`)).resolves.toMatch('HTTP/1.1 431');
    await expect(ask('GET /\0 HTTP/1.1')).resolves.toMatch('HTTP/1.1 400');
    await expect(ask('hello')).resolves.toMatch('HTTP/1.1 400');
    await expect(ask('POST / HTTP/1.1', 'content-length: 5', 'transfer-encoding: chunked')).resolves.toMatch(' 400');
    await expect(ask('POST / HTTP/1.1', 'content-length: -1')).resolves.toMatch('HTTP/1.1 400');
    await expect(ask('POST / HTTP/1.1', 'content-length: 1', 'content-length: 2')).resolves.toMatch('HTTP/1.1 400');
    await expect(ask('GET / HTTP/1.1', 'a b: c')).resolves.toMatch('HTTP/1.1 400');
  });

  it('a login of CapRover that is wrong, which is told with 200', async () => {
    const statusOf = async (body: object) => {
      const headers = { 'content-type': 'application/json' };
      const path = '/api/v2/login';
      const { url } = installation.server;
      const answer = await rawRequest(url, { method: 'POST', path, headers, body: JSON.stringify(body) });
      return [answer.status, (JSON.parse(answer.text) as { status: number }).status];
    };
    for (const password of [null, 1, true, [], {}, '', 'x'.repeat(201)]) {
      await expect(statusOf({ password })).resolves.toEqual([200, 1000]);
    }
    await expect(statusOf({ password: 'x', otpToken: 1 })).resolves.toEqual([200, 1000]);
    await expect(statusOf({ password: 'guess' })).resolves.toEqual([200, 1105]);
  });

  it.each([100, 200_000])('an upload that ends after %i bytes of the source', async (length) => {
    const socket = beginUpload(installation.server.url, client.token, app, length);
    const folder = join(installation.directory, 'uploads');
    await until(async () => (await readdir(folder)).length === 1, 'the upload begins');
    socket.destroy();
    await once(socket, 'close');
    await expectNothingLeft();
  });
});

describe('the log stream', () => {
  const open = (query = '', origin?: string) => {
    const options = origin === undefined ? {} : { headers: { origin } };
    return StreamProbe.connect(`${installation.server.streamUrl}/${query}`, [], options);
  };
  /** The connection is still good. */
  const stays = async (probe: StreamProbe) => {
    await expect(probe.ask({ action: 'ping', id: 'still here' })).resolves.toEqual({ type: 'pong', id: 'still here' });
    probe.cut();
  };

  it.each(BAD_MESSAGES)('answers $name with $code and stays', async ({ message, code, field: at }) => {
    const probe = await open();
    probe.socket.send(message);
    const answer = await probe.take();
    expect(answer).toMatchObject({ type: 'error', code, message: expect.stringMatching(/./) });
    expect(answer['field']).toBe(at);
    await stays(probe);
  });

  it.each(BAD_PARAMETERS)('answers the parameters $query with $code and stays', async ({ query, code, field: at }) => {
    const probe = await open(`?${query}`);
    const answer = await probe.take();
    expect([answer['type'], answer['code'], answer['field']]).toEqual(['error', code, at]);
    await stays(probe);
  });

  it('answers each of a thousand messages, though most of them with a refusal', async () => {
    const probe = await open();
    for (let id = 0; id < 1_000; id++) probe.send({ action: 'ping', id });
    const answers = await probe.takeMany(1_000);
    expect(answers.map(({ id }) => id)).toEqual(answers.map((_, index) => index));
    const codes = new Set(answers.map(({ type, code }) => code ?? type));
    expect([...codes].sort()).toEqual(['pong', 'rate_limited']);
    const inTime = async () => (await probe.ask({ action: 'ping' }))['type'] === 'pong';
    await until(inTime, 'the next second');
    probe.cut();
  });

  it('closes after a message of more than 64 kB', async () => {
    const probe = await open();
    probe.send('x'.repeat(64 * 1024 + 1));
    await expect(probe.closed).resolves.toMatchObject({ code: 1009 });
  });

  it('closes after text that is no UTF-8', async () => {
    const probe = await open();
    probe.socket.send(Buffer.from([0xff]), { binary: false });
    await expect(probe.closed).resolves.toMatchObject({ code: 1007 });
  });

  it.each(FOREIGN_ORIGINS)('refuses pages of %s', async (origin) => {
    await expect(open('', origin)).rejects.toThrow('403');
  });

  it('is at / only, and speaks nothing but WebSocket', async () => {
    await expect(open('other')).rejects.toThrow('400');
    const url = installation.server.streamUrl.replace('ws:', 'http:');
    const answer = await rawRequest(url, { method: 'GET', path: '/', headers: {} });
    expect([answer.status, answer.headers.upgrade]).toEqual([426, 'websocket']);
  });
});

describe('an archive that is evil', () => {
  it('fails in pre_build, and nothing of it is written elsewhere or stays', async () => {
    const archives = evilArchives(ESCAPE);
    const ends = await Promise.all(
      archives.map(({ bytes }, index) => client.run({ app_name: `${app}-${index}` }, bytes)),
    );
    const told = ends.map(({ status, failed_phase, error }, index) => {
      return { name: archives[index]?.name, status, failed_phase, code: error?.code };
    });
    expect(told).toEqual(
      archives.map(({ name, code }) => ({ name, status: 'failed', failed_phase: 'pre_build', code })),
    );
    for (const { error } of ends)
      expect(JSON.stringify(error)).not.toMatch(/node_modules|\/workspaces\/|flukedeploy-e2e/);
    expect(existsSync(ESCAPE)).toBe(false);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith(app))).toEqual([]);
    await expectNothingLeft();
  });
});

describe('after all of this', () => {
  it('no object has got properties of strangers', async () => {
    const { body } = await client.request('GET', '/health/live');
    expect(body).toEqual({ status: 'up' });
    const reader = client.withToken(tokens.reader ?? '');
    expect((await reader.request('GET', '/api/v1/me')).body).toEqual({
      actor: { kind: 'token', name: 'test' },
      scopes: ['read'],
      token_id: tokens.reader?.split('_')[1],
    });
  });

  it('a good app is deployed, to which arguments and variables come as they were sent', async () => {
    const spec = goodApp(app);
    const key = { 'idempotency-key': app };
    const asked = await client.request<DeploymentView>('POST', DEPLOY, spec, key);
    expect(asked.status).toBe(202);
    const { deployment_id } = asked.body;
    const conflict = await client.request('POST', DEPLOY, { ...spec, on_conflict: 'reject' });
    expect([conflict.status, conflict.body['code']]).toEqual([409, 'deployment_in_progress']);

    const view = await client.ended(deployment_id);
    expect(view).toMatchObject({ status: 'success', reason: spec.reason });
    for (const path of ['/arguments', '/variables']) {
      expect((await swarm.get(path)).split('\0').slice(0, -1)).toEqual(FREE_TEXTS);
    }

    const replayed = await client.request<DeploymentView>('POST', DEPLOY, spec, key);
    expect([replayed.status, replayed.body.deployment_id]).toEqual([202, deployment_id]);
    const reused = await client.request('POST', DEPLOY, { ...spec, replicas: 2 }, key);
    expect([reused.status, reused.body['code']]).toEqual([422, 'idempotency_key_reused']);
    const cancelled = await client.request('POST', `/api/v1/deployments/${deployment_id}/cancel`);
    expect([cancelled.status, cancelled.body['code']]).toEqual([409, 'deployment_ended']);
  });

  it('the server is ready, and has printed no error and no stack', async () => {
    const { body } = await client.request('GET', '/health/ready');
    expect(body).toMatchObject({ status: 'ready' });
    // All of it is still there: it is kept up to 500 lines.
    expect(installation.server.output.length).toBeLessThan(500);
    expect(installation.server.output.filter((line) => /ERROR|FATAL|WARN|nhandled|^\s+at /.test(line))).toEqual([]);
  });

  it('only the good app is there', async () => {
    const { services, containers, ...rest } = await leftovers(installation, app);
    expect({ services, containers: containers.length }).toEqual({ services: [`${app}_r1`], containers: 1 });
    expect({ ...NOTHING_LEFT, ...rest }).toEqual(NOTHING_LEFT);
    await swarm.clean();
    await expectNothingLeft();
  });
});
