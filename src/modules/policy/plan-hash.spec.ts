import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { AesGcmSecrets } from '../../adapters/crypto/aes-gcm-secrets.js';
import { planHash } from './plan-hash.js';

const secrets = new AesGcmSecrets(randomBytes(32));
const PLAN = { app_name: 'web', env: { A: '1', B: '2' }, command: ['run', 'it'], replicas: 2 };

describe('the hash of a plan', () => {
  it('is the same for the same fields in another order, and with what is undefined', () => {
    const turned = { replicas: 2, command: ['run', 'it'], env: { B: '2', A: '1' }, app_name: 'web', port: undefined };
    expect(planHash(secrets, turned)).toBe(planHash(secrets, PLAN));
  });

  it.each([
    { ...PLAN, replicas: 3 },
    { ...PLAN, env: { A: '1', B: '3' } },
    { ...PLAN, command: ['it', 'run'] },
    { ...PLAN, port: 80 },
    [PLAN],
  ])('is another one for %j', (changed) => {
    expect(planHash(secrets, changed)).not.toBe(planHash(secrets, PLAN));
  });

  it('tells nothing to who has not the key', () => {
    expect(planHash(new AesGcmSecrets(randomBytes(32)), PLAN)).not.toBe(planHash(secrets, PLAN));
  });
});
