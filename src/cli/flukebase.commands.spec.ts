import { describe, expect, it } from '@jest/globals';
import { withServer } from '../../test/support/command-line.js';

const cli = withServer();

const standing = {
  enabled: true,
  url: 'https://flukebase.me/api/v1',
  waiting: 3,
  lag_seconds: 7.4,
  dead: 1,
  breaker: 'half_open',
};
const letter = {
  id: 'fdl-1',
  deployment_id: 'dep-1',
  kind: 'log',
  first_sequence: 4,
  last_sequence: 6,
  error: 'FlukeBase answered with HTTP 422.',
  died_at: '2026-02-03T10:00:00.000Z',
};

describe('flukebase', () => {
  it('says how far FlukeBase has been told', async () => {
    cli.server.answer(() => ({ json: { ...standing, last_error: 'FlukeBase answered with HTTP 500.' } }));
    const { code, stdout } = await cli.run('flukebase');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'FlukeBase   https://flukebase.me/api/v1',
      'Waiting     3 entries, the oldest for 7 seconds',
      'Given up    1, see flukedeploy flukebase dead-letters',
      'Breaker     half open',
      'Last error  FlukeBase answered with HTTP 500.',
      '',
    ]);
  });

  it('says that it is not switched on', async () => {
    cli.server.answer(() => ({ json: { ...standing, enabled: false } }));
    expect((await cli.run('flukebase')).stdout).toBe('FlukeBase is not switched on: FLUKEBASE_API_TOKEN is not set.\n');
  });
});

describe('flukebase check', () => {
  it.each([
    [true, 0, '✓ It is there.\nFlukeBase works.\n'],
    [false, 1, '✗ It is there.\nFlukeBase does not work: deployments go on without it.\n'],
  ])('where it works: %s, ends with %i', async (ok, code, text) => {
    cli.server.answer(() => ({ json: { works: ok, findings: [{ about: 'address', ok, message: 'It is there.' }] } }));
    expect(await cli.run('flukebase check')).toMatchObject({ code, stdout: text });
  });
});

describe('flukebase backfill', () => {
  it('goes on page by page, and says how to go on should it be broken off', async () => {
    cli.server.answer(({ json }) => ({
      json: {
        deployments: 2,
        queued: 1,
        ...((json as { cursor?: string }).cursor === undefined && { next_cursor: 'dep-2' }),
      },
    }));
    const { code, stdout, stderr } = await cli.run('flukebase backfill --since 2026-02-01 --until 2026-02-03');
    expect(code).toBe(0);
    expect(stdout).toBe('2 of 4 deployments are queued; FlukeBase knows of the others, or soon will.\n');
    expect(stderr).toContain('--cursor dep-2');
    const window = { since: '2026-02-01T00:00:00.000Z', until: '2026-02-03T00:00:00.000Z' };
    expect(cli.server.to('POST /api/v1/flukebase/backfill').map(({ json }) => json)).toEqual([
      window,
      { ...window, cursor: 'dep-2' },
    ]);
  });
});

describe('dead letters', () => {
  it('are listed', async () => {
    cli.server.answer(() => ({ json: { dead_letters: [letter] } }));
    expect((await cli.run('flukebase dead-letters')).stdout).toContain(
      'fdl-1        2026-02-03 10:00:00  dep-1       entries 4 to 6  FlukeBase answered with HTTP 422.',
    );
  });

  it('are all replayed on request', async () => {
    cli.server.answer(({ route }) =>
      route.startsWith('GET') ? { json: { dead_letters: [letter, { ...letter, id: 'fdl-2' }] } } : { status: 204 },
    );
    expect((await cli.run('flukebase replay --all')).stdout).toBe('2 of the dead letters are sent again.\n');
    expect(cli.server.to('POST /api/v1/flukebase/dead-letters/fdl-2/replay')).toHaveLength(1);
  });

  it('are discarded one by one', async () => {
    cli.server.answer(() => ({ status: 204 }));
    expect((await cli.run('flukebase discard fdl-1')).code).toBe(0);
    expect(cli.server.to('DELETE /api/v1/flukebase/dead-letters/fdl-1')).toHaveLength(1);
  });
});
