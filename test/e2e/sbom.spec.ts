/** A scan for vulnerabilities on a running server, by a program that keeps to Trivy's command line, and the SBOM of a release. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { installStandIn, SBOM } from '../support/trivy.js';
import { serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

let bench: Workbench;
let folder: string;
let first: DeploymentView;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-trivy-'));
  bench = await Workbench.set({ TRIVY_PATH: await installStandIn(folder) });
  const scan = { name: 'vulnerability-scan', options: { ignore: ['CVE-2020-8165'] } };
  first = await bench.client.succeed({ app_name: bench.app('web'), ...serving('first'), plugins: [scan] });
});
afterAll(async () => {
  await bench.clear();
  await rm(folder, { recursive: true });
});

const path = (release: number) => `/api/v1/apps/${bench.app('web')}/releases/${release}/sbom`;

describe('the scan', () => {
  it('stops the deployment for what is severe, each finding with what mends it', async () => {
    const plugins = [{ name: 'vulnerability-scan' }];
    const view = await bench.client.run({ app_name: bench.app('bad'), ...serving('bad'), plugins });
    expect(view).toMatchObject({
      status: 'failed',
      failed_phase: 'pre_deploy',
      error: {
        code: 'image_rejected',
        plugin: 'vulnerability-scan',
        evidence: [expect.stringContaining('CVE-2020-8165')],
      },
    });
    const { findings = [] } = view.hooks?.find(({ plugin }) => plugin === 'vulnerability-scan') ?? {};
    expect(findings[0]).toMatchObject({ severity: 'error', hint: expect.stringContaining('6.0.3.1') });
    expect(findings.length).toBeGreaterThan(1);
  });

  it('lets pass what is ignored by name, and tells the rest', () => {
    expect(first.hooks?.find(({ plugin }) => plugin === 'vulnerability-scan')).toMatchObject({ outcome: 'passed' });
  });
});

describe('the SBOM of a release', () => {
  it('is not there where there is no release', async () => {
    expect(await bench.client.request('GET', path(9))).toMatchObject({
      status: 404,
      body: { code: 'release_not_found' },
    });
  });

  it('is given out as CycloneDX', async () => {
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
