import { afterEach, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { startReplicas, type Replicas } from '../../../test/support/replicas.js';

let replicas: Replicas;
afterEach(() => replicas.clean());

const named =
  (name: string): RequestListener =>
  (request, response) =>
    response.end(`${name} ${request.method ?? ''} ${request.url ?? ''} ${request.headers.host ?? ''}`);
const silent: RequestListener = () => undefined;
const start = async (...listeners: RequestListener[]) => (replicas = await startReplicas(...listeners));

describe('fetch', () => {
  it('asks the first replica, for the first host name', async () => {
    await start(named('one'), named('two'));
    const client = replicas.client({ hosts: ['shop.example.com', 'other.example.com'] });
    expect(await client.fetch('/a?b=c')).toEqual({
      status: 200,
      headers: expect.objectContaining({ 'content-length': '31' }),
      body: 'one GET /a?b=c shop.example.com',
      durationMs: expect.any(Number),
    });
  });

  it('asks the replica, for the host name and with the method that are wanted', async () => {
    await start(named('one'), named('two'));
    const client = replicas.client({ hosts: ['shop.example.com'] });
    const answer = await client.fetch('/', { slot: 2, method: 'PUT', headers: { Host: 'mine.test' } });
    expect(answer.body).toBe('two PUT / mine.test');
  });

  it('asks by address where the app has no host name', async () => {
    await start(named('one'));
    expect((await replicas.client().fetch('/')).body).toBe(`one GET / 127.0.0.1:${replicas.port}`);
  });

  it('goes on to the next replica where one does not answer', async () => {
    await start(silent, named('two'));
    expect((await replicas.client().fetch('/', { timeoutMs: 200 })).body).toMatch(/^two GET/);
  });

  it('sends nothing twice that may have been carried out', async () => {
    const asked: string[] = [];
    await start(silent, (request) => void asked.push(request.url ?? ''));
    await expect(replicas.client().fetch('/', { method: 'POST', timeoutMs: 200 })).rejects.toMatchObject({
      code: 'service_unreachable',
    });
    expect(asked).toEqual([]);
  });

  it('looks the replicas up again only after one did not answer', async () => {
    await start(named('one'), named('two'));
    const client = replicas.client();
    await client.fetch('/');
    await client.fetch('/');
    expect(replicas.lookups()).toBe(1);
    await replicas.stop(1);
    expect((await client.fetch('/')).body).toMatch(/^two/);
    replicas.tasks.shift();
    await client.fetch('/');
    expect(replicas.lookups()).toBe(2);
  });

  it.each([
    ['no such replica', { slot: 3 }, 'There is no replica 3 that runs.'],
    ['a replica on a node out of reach', { slot: 2 }, 'Node far is out of reach from here.'],
  ])('says why: %s', async (_name, options, message) => {
    await start(named('one'), named('two'));
    replicas.tasks[1] = { ...replicas.tasks[1]!, node: 'far' };
    await expect(replicas.client().fetch('/', options)).rejects.toMatchObject({ code: 'service_unreachable', message });
  });

  it('passes over replicas that do not serve', async () => {
    await start(named('one'), named('two'));
    replicas.tasks[0] = { ...replicas.tasks[0]!, desired_state: 'shutdown' };
    expect((await replicas.client().fetch('/')).body).toMatch(/^two/);
    expect((await replicas.client().service()).tasks).toEqual([{ slot: 2, node: 'near', address: '127.0.0.2' }]);
  });

  it('says that an app without an HTTP port cannot be asked', async () => {
    await start(named('one'));
    await expect(replicas.client({ port: 0 }).fetch('/')).rejects.toMatchObject({ code: 'service_unreachable' });
  });

  it.each(['', 'health', 'http://elsewhere.test/', '/a b', '/a\r\nx: y', '@elsewhere.test/'])(
    'refuses the path %j',
    async (path) => {
      await start(named('one'));
      await expect(replicas.client().fetch(path)).rejects.toMatchObject({ code: 'invalid_field' });
    },
  );

  it.each(['//elsewhere.test/', '/\\elsewhere.test/'])('asks nobody else for %j', async (path) => {
    await start(named('one'));
    expect((await replicas.client().fetch(path)).body).toMatch(/^one GET \/\/elsewhere.test\//);
  });

  it('ends with the reason when the hook is stopped', async () => {
    const reason = new Error('cancelled');
    const controller = new AbortController();
    await start(() => controller.abort(reason));
    await expect(replicas.client({}, controller.signal).fetch('/')).rejects.toBe(reason);
  });
});

describe('connect', () => {
  it('tells whether the port accepts', async () => {
    await start(named('one'), named('two'));
    const client = replicas.client();
    const accepted = { accepted: true, durationMs: expect.any(Number) };
    expect(await client.connect(replicas.port, 4_000, 2)).toEqual(accepted);
    await replicas.stop(1);
    expect(await client.connect(replicas.port)).toEqual(accepted);
    expect(await client.connect(replicas.port, 4_000, 1)).toEqual({
      ...accepted,
      accepted: false,
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('service', () => {
  it('is the version as hooks see it', async () => {
    await start(named('one'));
    expect(await replicas.client({ url: 'https://shop.example.com' }).service()).toEqual({
      name: 'web_r2',
      url: 'https://shop.example.com',
      tasks: [{ slot: 1, node: 'near', address: '127.0.0.1' }],
    });
  });
});
