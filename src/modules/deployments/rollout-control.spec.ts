import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { actor, begin, identity, request, start, step, succeed } from '../../../test/support/deployment-fixtures.js';
import { MemoryLogStore } from '../../../test/support/memory-log-store.js';
import { MemoryWakeups } from '../../../test/support/memory-wakeups.js';
import { AesGcmSecrets } from '../../adapters/crypto/aes-gcm-secrets.js';
import type { Fact } from '../../domain/deployment.js';
import type { DeploymentStore, Principal } from '../../domain/ports.js';
import { Logbook, LogHub } from '../logs/index.js';
import type { PolicyGate } from '../policy/index.js';
import { RolloutControl } from './rollout-control.js';

const { id } = identity;
const operator = { actor } as Principal;

/** A rollout under way, whose worker writes `meanwhile` between the look at the deployment and the word about it. */
async function control(...meanwhile: Fact[]): Promise<{ control: RolloutControl; log: MemoryLogStore }> {
  const log = new MemoryLogStore();
  const write = async (facts: readonly Fact[]): Promise<void> => {
    await log.append({ deployment_id: id, items: facts.map((fact) => ({ fact })) });
  };
  await write([request, start(), begin('deploy'), step(0)]);
  const wakeups = new MemoryWakeups();
  const logbook = new Logbook(log, wakeups, new LogHub(log, wakeups));
  const policy = { admitNow: () => write(meanwhile) } as unknown as PolicyGate;
  const secrets = new AesGcmSecrets(randomBytes(32));
  return { control: new RolloutControl(log as unknown as DeploymentStore, logbook, policy, secrets), log };
}

describe('a word about a rollout', () => {
  it('is written, and a second time changes nothing', async () => {
    const { control: rollout, log } = await control();
    await rollout.pause(id, operator);
    await rollout.pause(id, operator);
    expect((await log.find(id))?.state.rollout?.paused).toMatchObject({ actor });
    await rollout.resume(id, operator);
    await expect(rollout.resume(id, operator)).rejects.toMatchObject({ code: 'not_paused' });
  });

  it('that comes when the rollout has just ended is refused, and holds nothing', async () => {
    const { control: rollout, log } = await control(succeed('deploy'), begin('post_deploy'));
    await expect(rollout.pause(id, operator)).rejects.toMatchObject({ code: 'rollout_not_running' });
    const state = (await log.find(id))?.state;
    expect(state?.rollout).not.toHaveProperty('paused');
    expect(state).toHaveProperty('deadline_at');
  });
});
