import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { identity, request } from '../../../test/support/deployment-fixtures.js';
import { FlukeBase } from '../../../test/support/flukebase.js';
import { makeCertificate } from '../../../test/support/test-certificates.js';
import { deploymentLinks, deploymentSummary } from '../../domain/deployment-summary.js';
import { fold } from '../../domain/deployment.js';
import { createDeploymentLog, toEntry, type UnifiedLogEntry } from '../../domain/log-entry.js';
import { newWedoTask, wedoTaskChange } from '../../domain/wedo-task.js';
import { FlukeBaseClient } from './flukebase-client.js';

const state = fold([request]);
const links = deploymentLinks(identity.id, '');
const summary = deploymentSummary(state, `DEPLOY-${identity.id}`, links);
const { signal } = new AbortController();
const call = (idempotency_key: string, stop = signal) => ({ idempotency_key, signal: stop });

function entry(sequence: number): UnifiedLogEntry {
  const { id: deployment_id, app_name, environment } = identity;
  const draft = createDeploymentLog({ at: '2026-02-03T10:00:00.000Z', message: `line ${sequence}` });
  const place = { deployment_id, app_name, environment, sequence, cursor: `c.${sequence}`, instance: 'test/1' };
  return toEntry({ ...draft, ...place, status: 'building' });
}

describe('FlukeBase', () => {
  let flukebase: FlukeBase;
  let client: FlukeBaseClient;
  beforeAll(async () => {
    flukebase = await FlukeBase.start();
    client = await clientOf(flukebase);
  });
  afterAll(() => flukebase.stop());
  beforeEach(() => flukebase.faults.end());

  async function clientOf({ url, token, caFile }: FlukeBase, given = token): Promise<FlukeBaseClient> {
    return new FlukeBaseClient({ url: `${url}/`, token: given, authorities: await readFile(caFile, 'utf8') });
  }

  it('takes everything that it is told, on its five routes', async () => {
    const accepted = { kind: 'accepted' };
    expect(await client.syncDeploymentSummary(summary, call('a'))).toMatchObject(accepted);
    expect(await client.syncDeploymentLog(entry(1), call('b'))).toMatchObject(accepted);
    expect(await client.syncDeploymentLogsBatch([entry(2), entry(3)], call('c'))).toMatchObject(accepted);
    const task = newWedoTask(state, links);
    expect(await client.createDeploymentTask(task, call('d'))).toMatchObject(accepted);
    expect(await client.updateWedoTask(task.task_id, wedoTaskChange(state, links), call('e'))).toMatchObject(accepted);
    expect(
      flukebase.requests.map(({ method, path, headers, token }) => [method, path, headers['idempotency-key'], token]),
    ).toEqual([
      ['POST', '/api/v1/flukebase_connect/deployments', 'a', 'right'],
      ['POST', '/api/v1/flukebase_connect/deployment_logs', 'b', 'right'],
      ['POST', '/api/v1/flukebase_connect/deployment_logs/batch', 'c', 'right'],
      ['POST', '/api/v1/flukebase_connect/wedo_tasks', 'd', 'right'],
      ['PATCH', `/api/v1/flukebase_connect/wedo_tasks/DEPLOY-${identity.id}`, 'e', 'right'],
    ]);
    expect(flukebase.held.deployments.get(identity.id)?.entries).toEqual([entry(1), entry(2), entry(3)]);
  });

  it('names what it did not take of a batch', async () => {
    flukebase.faults.order({ kind: 'partial', takes: 'first_half' }, { times: 1 });
    const reply = await client.syncDeploymentLogsBatch([entry(4), entry(5)], call('partial'));
    expect(reply).toEqual({ kind: 'accepted', status: 207, refused: [{ id: entry(5).id, status: 503 }] });
  });

  it('refuses with its reason, and when to come back', async () => {
    flukebase.faults.order({ kind: 'status', status: 429, retry_after: '7' }, { times: 1 });
    expect(await client.syncDeploymentLog(entry(6), call('f'))).toEqual({
      kind: 'refused',
      status: 429,
      reason: 'as the test has ordered',
      retry_after_ms: 7_000,
    });
  });

  it('leads nobody elsewhere', async () => {
    flukebase.faults.order({ kind: 'redirect', to: 'https://localhost:1/' }, { times: 1 });
    expect(await client.syncDeploymentLog(entry(6), call('g'))).toMatchObject({ kind: 'refused', status: 307 });
  });

  it.each([
    [{ kind: 'malformed' } as const, 'FlukeBase answered with something that is no JSON object.'],
    [{ kind: 'huge', bytes: 10_000_000 } as const, 'FlukeBase did not answer: its answer was too long or broke off.'],
    [{ kind: 'cut_unread' } as const, 'FlukeBase did not answer: ECONNRESET.'],
  ])('is not believed when it is %j', async (fault, reason) => {
    flukebase.faults.order(fault, { times: 1 });
    expect(await client.syncDeploymentLog(entry(7), call('h'))).toEqual({ kind: 'unanswered', reason });
  });

  it('is waited for until the deadline and no longer', async () => {
    const authorities = await readFile(flukebase.caFile, 'utf8');
    const hasty = new FlukeBaseClient({ url: flukebase.url, token: flukebase.token, authorities, timeoutMs: 300 });
    flukebase.faults.order({ kind: 'silent' }, { times: 1 });
    expect(await hasty.syncDeploymentLog(entry(8), call('i'))).toEqual({
      kind: 'unanswered',
      reason: 'FlukeBase did not answer within 0.3 seconds.',
    });
  });

  it('is not waited for once the signal says so', async () => {
    const stop = new AbortController();
    flukebase.faults.order({ kind: 'silent' }, { times: 1 });
    const asked = flukebase.asked;
    const told = client.syncDeploymentLog(entry(9), call('j', stop.signal));
    while (flukebase.asked === asked) await new Promise((resolve) => setImmediate(resolve));
    const reason = new Error('over');
    stop.abort(reason);
    await expect(told).rejects.toBe(reason);
  });

  it('is asked for nothing by a check, on a route that it has', async () => {
    const before = [flukebase.requests.length, flukebase.held.arrivals.length];
    await client.check(true, signal);
    flukebase.has_batches = false;
    expect((await client.check(true, signal)).map(({ ok }) => ok)).toEqual([true, true, true]);
    flukebase.has_batches = true;
    expect(flukebase.requests.slice(before[0]).map(({ path, answer }) => [path, answer])).toEqual([
      ['/api/v1/flukebase_connect/deployment_logs/batch', 422],
      ['/api/v1/flukebase_connect/deployment_logs/batch', 404],
      ['/api/v1/flukebase_connect/deployment_logs', 422],
    ]);
    expect(flukebase.held.arrivals).toHaveLength(before[1]!);
  });

  it('is not where a check finds another server', async () => {
    const { origin } = new URL(flukebase.url);
    const authorities = await readFile(flukebase.caFile, 'utf8');
    const astray = new FlukeBaseClient({ url: origin, token: flukebase.token, authorities });
    expect((await astray.check(true, signal)).at(-1)).toEqual({
      about: 'address',
      ok: false,
      message:
        `There is no FlukeBase API at ${origin}/: it answers with HTTP 404. ` +
        'FLUKEBASE_API_URL should look like https://flukebase.me/api/v1.',
    });
  });

  it.each([
    [200, true, 'FlukeBase does not refuse FLUKEBASE_API_TOKEN.'],
    [400, true, 'FlukeBase does not refuse FLUKEBASE_API_TOKEN.'],
    [403, false, 'FlukeBase refuses FLUKEBASE_API_TOKEN with HTTP 403.'],
    [405, false, expect.stringContaining('There is no FlukeBase API at')],
    [429, false, 'FlukeBase answers with HTTP 429.'],
    [500, false, 'FlukeBase answers with HTTP 500.'],
  ])('that answers a check with HTTP %i works: %s', async (status, ok, message) => {
    flukebase.faults.order({ kind: 'status', status });
    expect((await client.check(true, signal)).at(-1)).toMatchObject({ ok, message });
  });

  it('is checked in plain words, and the token is in none of them', async () => {
    expect(await client.check(true, signal)).toEqual([
      { about: 'address', ok: true, message: `FlukeBase is reached at ${new URL(flukebase.url).host}.` },
      {
        about: 'certificate',
        ok: true,
        message: expect.stringMatching(/^Its certificate is trusted, for \d+ more days\.$/),
      },
      { about: 'token', ok: true, message: 'FlukeBase does not refuse FLUKEBASE_API_TOKEN.' },
    ]);
    expect((await (await clientOf(flukebase, 'fbk_wrong')).check(true, signal)).at(-1)).toEqual({
      about: 'token',
      ok: false,
      message: 'FlukeBase refuses FLUKEBASE_API_TOKEN with HTTP 401.',
    });
    const stranger = new FlukeBaseClient({ url: flukebase.url, token: 'fbk_unseen' });
    expect(await stranger.check(true, signal)).toEqual([
      { about: 'certificate', ok: false, message: expect.stringContaining('is not trusted') },
    ]);
    const nobody = new FlukeBaseClient({ url: 'https://127.0.0.1:1/', token: 'fbk_unseen' });
    expect(await nobody.check(false, signal)).toEqual([
      { about: 'address', ok: false, message: '127.0.0.1:1 cannot be reached: ECONNREFUSED.' },
    ]);
  });
});

describe('an answer', () => {
  let answer: (response: ServerResponse, request: IncomingMessage) => void;
  let client: FlukeBaseClient;
  let stop: () => Promise<unknown>;
  beforeAll(async () => {
    const { certificate: cert, private_key: key } = await makeCertificate({ names: ['IP:127.0.0.1'] });
    const server = createServer({ cert, key }, (incoming, response) => {
      incoming.resume().on('end', () => answer(response, incoming));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`;
    client = new FlukeBaseClient({ url, token: 'fbk_secret', authorities: cert });
    stop = async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    };
  });
  afterAll(() => stop());
  const told = () => client.syncDeploymentLog(entry(1), call('k'));

  it.each(['', '{}', '{"results":"all"}', '{"results":[{"id":7}]}'])('of %j is good enough', async (text) => {
    answer = (response) => void response.writeHead(200).end(text);
    expect(await told()).toEqual({ kind: 'accepted', status: 200 });
  });

  it.each(['<html>Log in</html>', '[]', '7', 'null'])('of %j comes from somebody else', async (text) => {
    answer = (response) => void response.writeHead(200).end(text);
    expect(await told()).toMatchObject({ kind: 'unanswered' });
  });

  it('that repeats the token is masked, cut and made printable', async () => {
    const message = `The token fbk_secret is not\u001b[31m good\n${'x'.repeat(1_000)}`;
    answer = (response) => void response.writeHead(422).end(JSON.stringify({ message }));
    const reply = await told();
    expect(reply).toMatchObject({ kind: 'refused', status: 422 });
    const text = JSON.stringify(reply);
    expect(text).not.toContain('fbk_secret');
    expect(text).not.toContain('\\u001b');
    expect(text.length).toBeLessThan(500);
  });

  it('goes over one connection, one after another', async () => {
    const sockets = new Set<unknown>();
    answer = (response, { socket }) => {
      sockets.add(socket);
      response.writeHead(204).end();
    };
    for (let count = 0; count < 5; count++) expect(await told()).toEqual({ kind: 'accepted', status: 204 });
    expect(sockets.size).toBe(1);
  });
});
