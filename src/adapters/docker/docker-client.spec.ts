import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { DeployError } from '../../domain/errors.js';
import { DockerClient } from './docker-client.js';
import { dockerFailure } from './docker-failure.js';

/** An Engine of which only the version is known; answers the paths that it was asked for. */
async function engine(ApiVersion: string): Promise<{ server: Server; host: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ ApiVersion }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('the client', () => {
  it('speaks to the Engine of this machine', async () => {
    const client = new DockerClient();
    expect(client.local).toBe(true);
    expect(String(await (await client.calls()).ping())).toBe('OK');
  });

  it.each([
    ['1.41', '/v1.41/info'],
    ['1.99', '/v1.47/info'],
  ])('speaks the lower of both versions to an Engine of %s', async (version, path) => {
    const { server, host, asked } = await engine(version);
    const client = new DockerClient(host);
    expect(client.local).toBe(false);
    await (await client.calls()).info();
    await (await client.streams()).info();
    expect(asked).toEqual(['/version', path, path]);
    server.close();
  });

  it('tries again after the Engine was away', async () => {
    const { server, host } = await engine('1.41');
    await new Promise((resolve) => server.close(resolve));
    const client = new DockerClient(host);
    await expect(client.calls()).rejects.toMatchObject({ code: 'docker_unavailable' });
    await new Promise<void>((resolve) => server.listen(Number(new URL(host).port), '127.0.0.1', resolve));
    await expect(client.calls()).resolves.toBeDefined();
    server.close();
  });

  it.each(['/var/run/docker.sock', 'tcp://', 'tcp://host', 'ssh://host:22', 'http://host:2375', ''])(
    'does not take %j for a host',
    (host) => {
      expect(() => new DockerClient(host)).toThrow(/DOCKER_HOST/);
    },
  );
});

describe('a failure', () => {
  it('says that Docker is away, where there is no socket', async () => {
    const failure = await new DockerClient('unix:///nowhere/docker.sock').calls().catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'docker_unavailable', message: expect.stringContaining('ENOENT') });
  });

  it("is the Engine's own words, where it answered", async () => {
    const docker = await new DockerClient().calls();
    const error: unknown = await docker
      .getService('no-such-service')
      .inspect()
      .catch((thrown: unknown) => thrown);
    expect(dockerFailure(error, 'looking for it')).toMatchObject({
      code: 'internal',
      message: 'Docker refused looking for it: service no-such-service not found',
    });
  });

  it('is passed on when it is an abort, or ours already', async () => {
    const ours = new DeployError('name_taken');
    expect(dockerFailure(ours, 'anything')).toBe(ours);
    const reason = new DOMException('stop', 'AbortError');
    expect(dockerFailure(reason, 'anything')).toBe(reason);
  });

  it('of a missing file is not a missing Engine', () => {
    const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', syscall: 'open' });
    expect(dockerFailure(missing, 'packing')).toMatchObject({ code: 'internal' });
  });
});
