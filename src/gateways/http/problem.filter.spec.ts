import { connect } from 'node:net';
import { Body, Controller, Get, HttpException, type INestApplication, Module, Post, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Request, Response } from 'express';
import { DeployError } from '../../domain/errors.js';
import { ProblemFilter } from './problem.filter.js';
import { ProblemsController } from './problems.controller.js';

const SECRET = 'hunter2';
let thrown: unknown;
let disconnected: PromiseWithResolvers<void>;

@Controller('things')
class ThingsController {
  @Get()
  throwIt(): never {
    throw thrown;
  }

  @Post()
  accept(@Body() body: unknown): unknown {
    return body;
  }

  @Get('half')
  half(@Res() response: Response): never {
    response.write('{"half":');
    throw thrown;
  }

  @Get('late')
  async late(@Req() request: Request): Promise<never> {
    await new Promise((resolve) => request.socket.once('close', resolve));
    disconnected.resolve();
    throw thrown;
  }
}

@Module({ controllers: [ThingsController, ProblemsController] })
class TestModule {}

let app: INestApplication;
let url: string;
let errors: string;
beforeAll(async () => {
  app = await NestFactory.create(TestModule, { logger: ['error'] });
  app.useGlobalFilters(new ProblemFilter());
  await app.listen(0, '127.0.0.1');
  url = await app.getUrl();
});
afterAll(() => app.close());
beforeEach(() => {
  errors = '';
  disconnected = Promise.withResolvers();
  jest.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    errors += String(chunk);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
});

async function problem(
  path: string,
  init?: RequestInit,
): Promise<{ response: Awaited<ReturnType<typeof fetch>>; body: unknown }> {
  const response = await fetch(`${url}${path}`, init);
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return { response, body: await response.json() };
}

const post = (body: string, type = 'application/json') =>
  problem('/things', { method: 'POST', headers: { 'content-type': type }, body });

describe('an error of our own', () => {
  it('is a problem document with all that the table says', async () => {
    thrown = new DeployError('unauthenticated', 'The token has expired.');
    const { response, body } = await problem('/things?token=secret');
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(body).toEqual({
      type: '/problems/unauthenticated',
      code: 'unauthenticated',
      title: 'No valid credentials were sent.',
      status: 401,
      retryable: false,
      hint: 'Send `Authorization: Bearer fd_…`.',
      detail: 'The token has expired.',
      instance: '/things',
    });
    expect(errors).toBe('');
  });

  it('names each bad field', async () => {
    const fields = [{ path: 'ports.0.host_port', message: 'must be an integer number' }];
    thrown = new DeployError('invalid_field', undefined, { fields });
    expect((await problem('/things')).body).toMatchObject({ status: 400, errors: fields });
  });

  it.each([
    ['too_many_requests', 30, 429, '30'],
    ['too_many_requests', undefined, 429, '5'],
    ['unavailable', 2, 503, '2'],
    ['docker_unavailable', undefined, 503, '5'],
    ['definition_missing', undefined, 422, null],
    ['app_not_found', undefined, 404, null],
  ] as const)('%s (%s) is answered with %i', async (code, seconds, status, retryAfter) => {
    thrown = new DeployError(code, undefined, seconds === undefined ? {} : { retryAfterSeconds: seconds });
    const { response } = await problem('/things');
    expect([response.status, response.headers.get('retry-after')]).toEqual([status, retryAfter]);
  });
});

describe('an error that was not foreseen', () => {
  it.each([
    ['an error', new TypeError(`cannot read ${SECRET}`)],
    ['an internal error of ours', new DeployError('internal', `broken: ${SECRET}`)],
    ['no error at all', SECRET],
    ['a failure of Nest', new HttpException(SECRET, 500)],
  ])('tells the client nothing and the log everything: %s', async (_, value) => {
    thrown = value;
    const { response, body } = await problem('/things');
    expect(response.status).toBe(500);
    expect(body).toMatchObject({ code: 'internal', detail: 'Something went wrong inside FlukeDeploy.' });
    expect(JSON.stringify(body)).not.toMatch(/hunter2|stack|\.ts/);
    expect(errors).toContain(SECRET);
    if (value instanceof Error) expect(errors).toContain('problem.filter.spec.ts');
  });
});

describe('an error of the framework', () => {
  it('an unknown address', async () => {
    expect((await problem(`/nowhere?key=${SECRET}`)).body).toMatchObject({
      code: 'not_found',
      detail: 'There is nothing at this address.',
      instance: '/nowhere',
    });
  });

  it('a known address with another method', async () => {
    const { response, body } = await problem('/things', { method: 'DELETE' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, POST']);
    expect(body).toMatchObject({ code: 'method_not_allowed', type: '/problems/method_not_allowed' });
  });

  it('an address that cannot be decoded', async () => {
    expect((await problem('/problems/%FF')).body).toMatchObject({ code: 'not_found', status: 404 });
  });

  it('broken JSON, of which nothing is repeated', async () => {
    const { body } = await post(`{"password":"${SECRET}"`);
    expect(body).toMatchObject({ code: 'malformed_json', status: 400 });
    expect(JSON.stringify(body)).not.toContain(SECRET);
  });

  it('a body that is too large', async () => {
    const { body } = await post(JSON.stringify('x'.repeat(200_000)));
    expect(body).toMatchObject({ code: 'payload_too_large', detail: 'The body is larger than 102400 bytes.' });
  });

  it('a character set that nobody knows', async () => {
    const { body } = await post('{}', 'application/json; charset=klingon');
    expect(body).toMatchObject({ code: 'unsupported_media_type', status: 415 });
  });
});

describe('a client that does not want or get the whole answer', () => {
  it('gets the head alone for HEAD', async () => {
    thrown = new DeployError('app_not_found');
    const response = await fetch(`${url}/things`, { method: 'HEAD' });
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  it('sees that an answer was cut off', async () => {
    thrown = new Error(SECRET);
    const response = await fetch(`${url}/things/half`);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('may have left', async () => {
    thrown = new DeployError('app_not_found');
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.write('GET /things/late HTTP/1.1\r\nhost: x\r\n\r\n', () => socket.destroy());
    await disconnected.promise;
    expect((await problem('/things')).response.status).toBe(404);
  });
});

describe('the published table', () => {
  it('holds every code, and each problem type leads to its row', async () => {
    const { problems } = (await (await fetch(`${url}/problems`)).json()) as { problems: { type: string }[] };
    expect(problems.length).toBeGreaterThan(40);
    for (const row of problems) expect(await (await fetch(`${url}${row.type}`)).json()).toEqual(row);
  });

  it.each(['nothing', '__proto__', 'constructor'])('has no %s', async (code) => {
    expect((await problem(`/problems/${code}`)).body).toMatchObject({ code: 'not_found', status: 404 });
  });
});
