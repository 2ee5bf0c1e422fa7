/** The handlers of flukebase_connect, in Python, call the REST API by the parameter names that their tools have. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage, removeImage } from '../support/local-image.js';
import { imageId } from '../support/published-image.js';
import { installStandIn } from '../support/trivy.js';
import { dockerfileServing, lines } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

const HANDLERS = fileURLToPath(new URL('../../examples/flukebase_connect.py', import.meta.url));
const HEALTH_CHECK = 'HEALTHCHECK --interval=1s CMD wget -q -O /dev/null http://127.0.0.1/';
const VERSIONS = ['v1.2.2', 'v1.2.3'];

let bench: Workbench;
let trivy: string;
let token: string;
let app_name: string;

const imageOf = (version: string) => `${app_name}:${version}`;
/** Has all that a strict validation asks for. */
const dockerfileOf = (version: string) => lines(dockerfileServing(version, HEALTH_CHECK), 'USER 1000');

beforeAll(async () => {
  trivy = await mkdtemp(join(tmpdir(), 'flukedeploy-trivy-'));
  bench = await Workbench.set({ TRIVY_PATH: await installStandIn(trivy) });
  app_name = bench.app('api-server');
  for (const version of VERSIONS) {
    await buildImage(imageOf(version), dockerfileOf(version));
    await copyFile(join(trivy, 'clean.json'), join(trivy, `${await imageId(imageOf(version))}.json`));
  }
  const order = { name: 'flukebase', agent: 'OPERATOR', scopes: ['read', 'deploy', 'rollback'] };
  ({ token } = (await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', order)).body);
});
afterAll(async () => {
  await bench.clear();
  for (const version of VERSIONS) await removeImage(imageOf(version));
  await rm(trivy, { recursive: true, force: true });
});

describe('a handler of flukebase_connect', () => {
  it('deploys, asks how it stands, and follows the log to the end', async () => {
    for (const version of VERSIONS) {
      const { deployment_id } = await call('deploy_app', {
        app_name,
        image: imageOf(version),
        replicas: 3,
        strategy: 'rolling',
        validation_level: 'strict',
        auto_rollback: true,
      });
      const followed = await call('deploy_logs', { app_name, follow: true });
      expect(followed).toMatchObject({ deployment_id, status: 'success' });
      expect(followed['entries']).toEqual(await bench.client.entries(String(deployment_id)));
      const status = await call('deploy_status', { deployment_id });
      expect(status).toMatchObject({ status: 'success', version, replicas: 3, agent: 'OPERATOR' });
    }
  });

  it('rolls back to a version by its name', async () => {
    const ordered = await call('deploy_rollback', { app_name, version: 'v1.2.2', reason: 'High error rate' });
    await bench.client.ended(String(ordered['deployment_id']));
    const history = await call('deploy_history', { app_name, limit: 10 });
    expect(history).toMatchObject({
      deployments: [
        { kind: 'rollback', status: 'success', version: 'v1.2.2', reason: 'High error rate' },
        { kind: 'deploy', version: 'v1.2.3' },
        { kind: 'deploy', version: 'v1.2.2' },
      ],
      total: 3,
    });
  });

  it('validates before it deploys, with tests and a scan', async () => {
    const plan = await call('deploy_validate', {
      app_name,
      environment: 'production',
      run_tests: true,
      run_security_scan: true,
    });
    expect(plan).toMatchObject({ valid: true, issues: expect.any(Array), plan_hash: expect.any(String) });
  });

  it('queries the log', async () => {
    expect(await call('deploy_logs', { app_name, level: 'info', limit: 2 })).toMatchObject({
      entries: [{ '@type': 'UnifiedLogEntry' }, { '@type': 'UnifiedLogEntry' }],
    });
  });

  it('hands on what is refused, so that an agent can act on it', async () => {
    expect(await call('deploy_status', { deployment_id: 'dep-123' })).toMatchObject({
      error: { status: 404, code: 'deployment_not_found' },
    });
    expect(await call('deploy_app', { app_name, image: 'busybox:1', replicas: 'many' })).toMatchObject({
      error: { code: 'invalid_field', errors: [{ path: 'replicas' }] },
    });
  });
});

async function call(tool: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const env = {
    PATH: process.env['PATH'],
    PYTHONDONTWRITEBYTECODE: '1',
    FLUKEDEPLOY_URL: bench.installation.server.url,
    FLUKEDEPLOY_TOKEN: token,
  };
  return new Promise((resolve, reject) => {
    execFile('python3', [HANDLERS, tool, JSON.stringify(args)], { env }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr, { cause: error }));
      else resolve(JSON.parse(stdout) as Record<string, unknown>);
    });
  });
}
