import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { PrivateServer } from '../process/supervised-child.js';
import { startPrivateRedis } from './private-redis.js';

let directory: string;
let server: PrivateServer;
let redis: Redis;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flukedeploy-spec-'));
  server = await startPrivateRedis({ directory, log: () => undefined, onFatal: () => undefined });
  redis = new Redis(server.url);
});

afterAll(async () => {
  redis.disconnect();
  await server.stop();
  await rm(directory, { recursive: true });
});

describe('private Redis', () => {
  it('is durable, never evicts and listens on no port', async () => {
    const read = async (name: string): Promise<unknown> => (await redis.config('GET', name))[1];
    expect(await read('port')).toBe('0');
    expect(await read('appendonly')).toBe('yes');
    expect(await read('appendfsync')).toBe('everysec');
    expect(await read('save')).toBe('');
    expect(await read('maxmemory-policy')).toBe('noeviction');
  });

  it('has a socket for its own user only', async () => {
    expect((await stat(server.url)).mode & 0o777).toBe(0o700);
  });
});
