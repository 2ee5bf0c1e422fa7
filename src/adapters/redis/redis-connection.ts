/** Connections to Redis: how they wait, how they come back. */
import { Redis } from 'ioredis';

export type RedisConnection = Redis;

/** `patient`: for workers and subscribers, which wait for Redis; the others fail at once, since nothing depends on them. */
export type Patience = 'patient' | 'impatient';

export function connectRedis(url: string, patience: Patience, log: (line: string) => void): RedisConnection {
  // Private servers listen on a unix socket; ioredis takes its bare path.
  const target = url.startsWith('unix://') ? url.slice('unix://'.length) : url;
  const redis = new Redis(target, {
    maxRetriesPerRequest: patience === 'patient' ? null : 1,
    enableOfflineQueue: patience === 'patient',
    retryStrategy: (attempt) => Math.min(50 * attempt, 1_000),
    connectTimeout: 5_000,
    // A Redis that hangs must not make commands pile up.
    ...(patience === 'impatient' && { socketTimeout: 5_000 }),
  });
  let told = false;
  redis.on('error', (error: Error) => {
    if (!told) log(`Redis is away: ${error.message}`);
    told = true;
  });
  redis.on('ready', () => {
    if (told) log('Redis is back');
    told = false;
  });
  return redis;
}
