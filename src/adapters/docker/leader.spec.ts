import { describe, expect, it } from '@jest/globals';
import { dockerFailure } from './docker-failure.js';
import { throughElections } from './leader.js';

/** As dockerode tells what the Engine answers. */
const refused = (message: string): Error => new Error(`(HTTP code 500) server error - ${message} `);

describe('throughElections', () => {
  it.each([
    'rpc error: code = DeadlineExceeded desc = context deadline exceeded',
    "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online.",
    'rpc error: code = Unavailable desc = transport is closing',
  ])('tries again after: %s', async (message) => {
    const answers = [() => Promise.reject(refused(message)), () => Promise.resolve('done')];
    expect(await throughElections(() => answers.shift()!())).toBe('done');
  });

  it('passes everything else on at once', async () => {
    let tried = 0;
    const failing = throughElections(() => {
      tried++;
      return Promise.reject(refused('no such service'));
    });
    await expect(failing).rejects.toThrow('no such service');
    expect(tried).toBe(1);
  });

  it('leaves what takes longer to whoever waits for the Engine', () => {
    const error = refused('rpc error: code = Unknown desc = The swarm does not have a leader.');
    expect(dockerFailure(error, 'scaling web')).toMatchObject({ code: 'docker_unavailable' });
  });
});
