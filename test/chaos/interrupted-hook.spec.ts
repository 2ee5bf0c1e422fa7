/** A hook whose server is stopped, and then killed -9, in the midst of it: it runs again, knows that, and the version serves on. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import { serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

/** It would never end, but for the third time. */
const PATIENT = `
import { definePlugin } from 'flukedeploy/plugin';
export default definePlugin({
  name: 'patient',
  apiVersion: 1,
  hooks: {
    post_deploy: {
      timeoutSeconds: 120,
      run: async ({ attempt, log, signal, fetch }) => {
        const { status } = await fetch('/');
        log('info', 'time ' + attempt + ', status ' + status);
        if (attempt < 3) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
    },
  },
});
`;

let folder: string;
let bench: Workbench;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-patient-'));
  await writeFile(join(folder, 'plugin.mjs'), PATIENT);
  bench = await Workbench.set({
    FLUKEDEPLOY_PLUGINS: join(folder, 'plugin.mjs'),
    FLUKEDEPLOY_LEASE_SECONDS: '2',
  });
}, 120_000);
afterAll(async () => {
  await bench.clear();
  await rm(folder, { recursive: true, force: true });
});

it('is begun anew by the next server, and counts', async () => {
  const app_name = bench.app('waiting');
  const { deployment_id } = await bench.client.deploy({
    app_name,
    ...serving('patience'),
    plugins: [{ name: 'patient' }],
  });
  const says = (line: string) =>
    until(async () => (await bench.client.messages(deployment_id)).some((said) => said.endsWith(line)), line, 60_000);
  await says('time 1, status 200');
  await bench.installation.stop();
  await bench.installation.start();
  await says('time 2, status 200');
  await bench.installation.kill();
  await bench.installation.start();
  const view = await bench.client.ended(deployment_id);
  expect(view).toMatchObject({
    status: 'success',
    phases: { post_deploy: { attempt: 1 } },
    hooks: expect.arrayContaining([expect.objectContaining({ plugin: 'patient', attempt: 3, outcome: 'passed' })]),
  });
  expect((await bench.swarm.get('/', app_name)).trim()).toBe('patience');
  expect((await bench.swarm.services(app_name)).length).toBe(1);
}, 180_000);
