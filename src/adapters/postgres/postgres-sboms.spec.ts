import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { emptyStores } from '../../../test/support/empty-stores.js';
import { StoreProcess } from '../../../test/support/store-process.js';
import { startTestDatabase, type TestDatabase } from '../../../test/support/test-database.js';
import { LIMITS } from '../../domain/limits.js';
import type { Sbom } from '../../domain/ports.js';
import { PostgresSboms } from './postgres-sboms.js';

jest.setTimeout(60_000);

const APP = { app_name: 'api-server', environment: 'production' };

let postgres: TestDatabase;
let process: StoreProcess;
let sboms: PostgresSboms;
beforeAll(async () => {
  postgres = await startTestDatabase();
  process = new StoreProcess(postgres.database);
  sboms = new PostgresSboms(postgres.database);
});
afterAll(() => postgres.stop());
beforeEach(() => emptyStores(postgres.database));

function sbom(name: string): Sbom {
  return { format: 'cyclonedx', document: JSON.stringify({ bomFormat: 'CycloneDX', name }) };
}

/** Goes through all phases, to whichever end. */
async function deployed(end: 'success' | 'failed'): Promise<string> {
  const { id } = await process.start();
  await sboms.keep(id, sbom(id));
  for (;;) {
    const claim = await process.claimNext(id);
    if (claim === undefined) return id;
    if (claim.phase === 'post_deploy' && end === 'failed') await process.fail(claim, 'health_check_failed');
    else await process.succeed(claim, { image: 'api-server@sha256:1' });
  }
}

describe('an SBOM', () => {
  it('comes back as it was, and the last one counts', async () => {
    const { id } = await process.accept();
    expect(await sboms.find(id)).toBeUndefined();
    await sboms.keep(id, sbom('first'));
    await sboms.keep(id, sbom('größer'));
    expect(await sboms.find(id)).toEqual(sbom('größer'));
  });

  it('is kept compressed', async () => {
    const { id } = await process.accept();
    await sboms.keep(id, sbom('a'.repeat(1_000_000)));
    const [row] = await postgres.database.query<{ bytes: number }>('select octet_length(document) as bytes from sboms');
    expect(row!.bytes).toBeLessThan(10_000);
  });

  it('that is too large is refused, the largest is not', async () => {
    const { id } = await process.accept();
    const largest: Sbom = { format: 'cyclonedx', document: 'a'.repeat(LIMITS.sbom_bytes) };
    await expect(sboms.keep(id, { ...largest, document: `${largest.document}a` })).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect(await sboms.find(id)).toBeUndefined();
    await sboms.keep(id, largest);
    expect((await sboms.find(id))!.document.length).toBe(LIMITS.sbom_bytes);
  });

  it('stays with the release, and goes with the app', async () => {
    const id = await deployed('success');
    expect(await process.apps.release(APP, { deployment_id: id })).toBeDefined();
    expect(await sboms.find(id)).toEqual(sbom(id));
    await process.apps.remove(APP);
    expect(await sboms.find(id)).toBeUndefined();
  });

  it('of a deployment that becomes no release goes with its end', async () => {
    const id = await deployed('failed');
    expect(await process.apps.release(APP, { deployment_id: id })).toBeUndefined();
    expect(await sboms.find(id)).toBeUndefined();
  });
});
