import { describe, expect, it } from '@jest/globals';
import { readConfig, VARIABLES } from './config.js';

describe('readConfig', () => {
  it('has a default for everything that can have one', () => {
    expect(readConfig({})).toMatchObject({
      FLUKEDEPLOY_ROLE: 'all',
      PORT: 3000,
      WS_HOST: '127.0.0.1',
      WS_PORT: 8767,
      GIT_ALLOWED_HOSTS: [],
      NOTIFY_ALLOWED_HOSTS: [],
    });
  });

  it('names every mistake at once', () => {
    const environment = {
      PORT: 'eighty',
      WS_PORT: '70000',
      FLUKEDEPLOY_ROLE: 'boss',
      REGISTRY_URL: 'registry',
      FLUKEDEPLOY_SECRET_KEY: 'short',
    };
    expect(() => readConfig(environment)).toThrow(
      /PORT: must be a whole number.*"eighty"[^]*WS_PORT:[^]*REGISTRY_URL: must be a URL[^]*FLUKEDEPLOY_SECRET_KEY: must be 32 bytes/,
    );
    expect(() => readConfig(environment)).toThrow(/FLUKEDEPLOY_ROLE: must be one of all, api, worker, not "boss"/);
  });

  it('demands what processes share from the roles that share', () => {
    expect(() => readConfig({ FLUKEDEPLOY_ROLE: 'worker' })).toThrow(
      /DATABASE_URL: needed[^]*REDIS_URL: needed[^]*FLUKEDEPLOY_SECRET_KEY: needed/,
    );
  });

  it('refuses fixtures of tests in production', () => {
    const environment = { MCP_CONFORMANCE_FIXTURES: '1' };
    expect(readConfig(environment)).toMatchObject({ MCP_CONFORMANCE_FIXTURES: '1' });
    expect(() => readConfig({ ...environment, NODE_ENV: 'production' })).toThrow(/MCP_CONFORMANCE_FIXTURES: not where/);
  });

  it('does not repeat a URL, which may hold a password', () => {
    expect(() => readConfig({ DATABASE_URL: 'mysql://user:hunter2@db/x' })).toThrow(/^(?![^]*hunter2)[^]*DATABASE_URL/);
  });

  it('takes FlukeBase over TLS only, and repeats no token', () => {
    expect(() => readConfig({ FLUKEBASE_API_URL: 'http://flukebase.me/api/v1' })).toThrow(/FLUKEBASE_API_URL: must be/);
    expect(() => readConfig({ FLUKEBASE_API_TOKEN: 'fbk_1\nx-evil: 1' })).toThrow(
      /^(?![^]*fbk_1)[^]*FLUKEBASE_API_TOKEN: must be printable ASCII/,
    );
    expect(readConfig({}).FLUKEBASE_API_TOKEN).toBeUndefined();
  });

  it('takes an empty variable for an absent one', () => {
    expect(readConfig({ PORT: '', REDIS_URL: '' })).toMatchObject({ PORT: 3000, REDIS_URL: undefined });
  });

  it('says what each variable is for', () => {
    for (const { about } of Object.values(VARIABLES)) expect(about.length).toBeGreaterThan(10);
  });
});
