/** Which environment variables are secrets: decided by examples of what apps really have. */
import { describe, expect, it } from '@jest/globals';
import { secretValues } from './secret-values.js';

describe('secretValues', () => {
  it.each([
    ['DB_PASSWORD', 'winter'],
    ['apiKey', 'abcdef'],
    ['DEPLOY', 'Xk39fjqLw0'],
    ['WEBHOOK', 'https://hooks.example.com/services/T00/B00/a1b2c3d4e5'],
    ['SALT', 'p@$$w0rd!'],
    ['LETTERS', 'xKqPzRtYwLmN'],
    ['MULTILINE', 'line one\nx=1 & y=2'],
  ])('%s=%s is secret', (key, value) => {
    expect(secretValues({ [key]: value })).toEqual([value]);
  });

  it.each([
    ['NODE_ENV', 'production'],
    ['DEBUG', 'true'],
    ['PORT', '3000'],
    ['APP_NAME', 'api-server'],
    ['TZ', 'Europe/Berlin'],
    ['LANG', 'en_US.UTF-8'],
    ['HOST', '10.0.0.1:5432'],
    ['API_URL', 'http://api.internal:3000/v1/users'],
    ['VERSION', '1.12.3'],
    ['CLASS', 'SomeServiceName'],
    ['STARTED', '2026-02-03'],
    ['REDIS_URL', 'redis://user:short@cache:6379/0'],
    ['DB_PASSWORD', 'root'],
    ['POSTGRES_PASSWORD_FILE', '/run/secrets/postgres'],
    ['EMPTY_TOKEN', ''],
  ])('%s=%s is an ordinary word', (key, value) => {
    expect(secretValues({ [key]: value })).toEqual([]);
  });

  it('takes the password out of a URL, as written and as meant', () => {
    expect(secretValues({ DATABASE_URL: 'postgres://app:hunt%40er@db/app' })).toEqual(['hunt%40er', 'hunt@er']);
    expect(secretValues({ DATABASE_URL: 'postgres://app:hunter%@db/app' })).toEqual(['hunter%']);
  });
});
