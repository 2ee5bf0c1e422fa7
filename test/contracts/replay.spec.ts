/** The log can be replayed: whatever a deployment goes through, its summary is the fold of its facts, and a lie is found out. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createDeploymentLog } from '../../src/domain/log-entry.js';
import { assertSummariesAreFolds, assertSummaryIsFold } from '../support/fold-check.js';
import { StoreProcess } from '../support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../support/test-database.js';

let test: TestDatabase;
let process: StoreProcess;

beforeAll(async () => {
  test = await startTestDatabase();
  process = new StoreProcess(test.database);
});
afterAll(() => test.stop());

/** Every turn a deployment can take, each leading it to where the test looks at it. */
const COURSES: readonly [name: string, lead: (id: string) => Promise<unknown>][] = [
  ['waits', async () => undefined],
  ['succeeds', (id) => process.finish(id)],
  ['runs', (id) => process.held(id)],
  ['was given back by its worker', async (id) => process.release(await process.held(id))],
  ['is tried again', async (id) => process.fail(await process.held(id), 'registry_unreachable')],
  ['fails', async (id) => process.fail(await process.held(id), 'build_failed')],
  ['is cancelled between phases', (id) => process.cancel(id)],
  [
    'is cancelled in a phase',
    async (id) => {
      const claim = await process.held(id);
      await process.cancel(id);
      await process.fail(claim, 'cancelled');
    },
  ],
  [
    'is rolled back',
    async (deployment_id) => {
      await process.fail(await process.held(deployment_id), 'build_failed');
      const fact = { type: 'deployment_rolled_back', at: new Date().toISOString(), by: 'dep-other' } as const;
      await process.log.append({ deployment_id, items: [{ fact }] });
    },
  ],
];

describe('the summary', () => {
  it.each(COURSES)('of a deployment that %s is the fold of its facts', async (name, lead) => {
    const { id } = await process.start({ app_name: name.replaceAll(' ', '-') });
    const draft = createDeploymentLog({ at: new Date().toISOString(), message: 'lines do not count' });
    await process.log.append({ deployment_id: id, items: [{ draft }] });
    await lead(id);
    await assertSummaryIsFold(test.database, id);
  });

  it('is checked for every deployment, less those whose beginning is cut off', async () => {
    await assertSummariesAreFolds(test.database);
    const { id } = await process.start({ app_name: 'cut' });
    await test.database.query('delete from entries where deployment_id = $1 and sequence = 1', [id]);
    await assertSummariesAreFolds(test.database);
    await expect(assertSummaryIsFold(test.database, id)).rejects.toThrow('numbered from 1');
  });

  it.each([
    ['another status', `update deployments set status = 'success' where id = $1`],
    ['another state', `update deployments set state = jsonb_set(state, '{status}', '"failed"') where id = $1`],
    ['an end that never came', 'update deployments set finished_at = now() where id = $1'],
    ['a missing entry', 'delete from entries where deployment_id = $1 and sequence = 2'],
    ['a missing last entry', 'delete from entries where deployment_id = $1 and sequence = 3'],
    [
      'an entry with another status',
      `update entries set status = 'failed' where deployment_id = $1 and fact is not null`,
    ],
  ])('is not believed with %s', async (name, lie) => {
    const { id } = await process.start({ app_name: `lie-${name.replaceAll(' ', '-')}` });
    await process.held(id);
    await assertSummaryIsFold(test.database, id);
    await test.database.query(lie, [id]);
    await expect(assertSummaryIsFold(test.database, id)).rejects.toThrow(id);
  });

  it('of a deployment that is not there cannot be checked', async () => {
    await expect(assertSummaryIsFold(test.database, 'dep-unknown')).rejects.toThrow('dep-unknown');
  });
});
