/** The SBOM of a release, as it is given out. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresSboms } from '../../src/adapters/postgres/postgres-sboms.js';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { SBOM } from '../support/trivy.js';
import { serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

let bench: Workbench;
let first: DeploymentView;

beforeAll(async () => {
  bench = await Workbench.set();
  first = await bench.client.succeed({ app_name: bench.app('web'), ...serving('first') });
});
afterAll(() => bench.clear());

const path = (release: number) => `/api/v1/apps/${bench.app('web')}/releases/${release}/sbom`;

describe('the SBOM of a release', () => {
  it('is not there where none was kept', async () => {
    expect(await bench.client.request('GET', path(1))).toMatchObject({ status: 404, body: { code: 'sbom_not_found' } });
    expect(await bench.client.request('GET', path(9))).toMatchObject({
      status: 404,
      body: { code: 'release_not_found' },
    });
  });

  it('is given out as CycloneDX', async () => {
    const document = JSON.stringify(SBOM);
    await bench.database((database) =>
      new PostgresSboms(database).keep(first.deployment_id, { format: 'cyclonedx', document }),
    );
    const { status, headers, body } = await bench.client.request('GET', path(1));
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/vnd\.cyclonedx\+json/);
    expect(body).toEqual(SBOM);
  });

  it('is that of its target for a rollback', async () => {
    await bench.client.succeed({ app_name: bench.app('web'), ...serving('second') });
    const rollback = await bench.client.request<DeploymentView>('POST', `/api/v1/apps/${bench.app('web')}/rollback`, {
      release: 1,
    });
    expect(rollback.status).toBe(202);
    expect(await bench.client.ended(rollback.body.deployment_id)).toMatchObject({ status: 'success' });
    expect((await bench.client.request('GET', path(3))).body).toEqual(SBOM);
    expect((await bench.client.request('GET', path(2))).status).toBe(404);
  });
});
