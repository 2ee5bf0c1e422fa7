import { beforeEach, describe, expect, it } from '@jest/globals';
import { MemoryAuditTrail } from '../../../test/support/memory-audit-trail.js';
import { DeployError } from '../../domain/errors.js';
import type { AuditIntent } from '../../domain/ports.js';
import { Auditor } from './auditor.js';
import { RECORDS_PER_MINUTE } from './refusal-allowance.js';

const STRANGER: AuditIntent = {
  at: '2026-02-03T10:00:00.000Z',
  actor: { kind: 'anonymous', name: 'anonymous' },
  action: 'session.create',
  target: 'admin',
  address: '192.0.2.7',
};
const KNOWN: AuditIntent = { ...STRANGER, actor: { kind: 'token', name: 'ci', token_id: 'aaaaaaaaaaaa' } };

describe('the auditor', () => {
  let trail: MemoryAuditTrail;
  let auditor: Auditor;
  beforeEach(() => {
    trail = new MemoryAuditTrail();
    auditor = new Auditor(trail);
  });

  const refuse = async (intent: AuditIntent, times: number): Promise<void> => {
    for (let time = 0; time < times; time++) await auditor.refused(intent, new DeployError('unauthenticated'));
  };

  it('writes no more for a stranger than its allowance, and then one record with the count', async () => {
    await refuse(STRANGER, RECORDS_PER_MINUTE * 3);
    expect(trail.records).toHaveLength(RECORDS_PER_MINUTE);
    await auditor.endMinute();
    expect(trail.records).toHaveLength(RECORDS_PER_MINUTE + 1);
    expect(trail.records.at(-1)).toMatchObject({
      address: '192.0.2.7',
      outcome: 'unauthenticated',
      rule: expect.stringMatching(`^${RECORDS_PER_MINUTE * 2} more within a minute`),
    });
  });

  it('counts a token by itself, wherever it comes from', async () => {
    await refuse(STRANGER, RECORDS_PER_MINUTE);
    await refuse(KNOWN, 1);
    expect(trail.records).toHaveLength(RECORDS_PER_MINUTE + 1);
  });

  it('writes down on the way out what was only counted', async () => {
    await refuse(STRANGER, RECORDS_PER_MINUTE + 1);
    await auditor.onApplicationShutdown();
    expect(trail.records).toHaveLength(RECORDS_PER_MINUTE + 1);
  });

  it('lets strangers begin so many changes, and writes nothing for more', async () => {
    for (let time = 0; time < RECORDS_PER_MINUTE; time++) {
      await (await auditor.begin(STRANGER)).failed(new DeployError('wrong_password'));
    }
    await expect(auditor.begin(STRANGER)).rejects.toMatchObject({ code: 'too_many_requests', retryAfterSeconds: 60 });
    expect(trail.intents.size).toBe(0);
    expect(trail.records).toHaveLength(RECORDS_PER_MINUTE);
    await expect(auditor.begin({ ...STRANGER, address: '192.0.2.8' })).resolves.toBeDefined();
    await expect(auditor.begin(KNOWN)).resolves.toBeDefined();
  });

  it('names the approval that has allowed a change', async () => {
    await (await auditor.begin(KNOWN)).succeeded({ target: 'dep-1', approval_id: 'apr-1' });
    expect(trail.records).toEqual([{ ...KNOWN, target: 'dep-1', outcome: 'succeeded', rule: 'approval: apr-1' }]);
  });
});
