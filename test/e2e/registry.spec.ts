/** With a registry configured, what was built is pushed, and Swarm runs it by the registry's digest. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Client } from '../support/client.js';
import { TestInstallation } from '../support/server-process.js';
import { SwarmState } from '../support/swarm-state.js';
import { REGISTRY_USER, startTestRegistry, type TestRegistry } from '../support/test-registry.js';

const app = `fdreg-${randomBytes(4).toString('hex')}`;
const DOCKERFILE = 'FROM busybox:1\nCMD ["httpd", "-f", "-p", "80"]\n';
const swarm = new SwarmState(app);

let registry: TestRegistry;
let installation: TestInstallation;
let client: Client;

beforeAll(async () => {
  registry = await startTestRegistry();
  const { username, password } = REGISTRY_USER;
  const login = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
  installation = await TestInstallation.create({ REGISTRY_URL: `http://${login}@${registry.host}/team` });
  client = await Client.logIn(() => installation.server.url);
});
afterAll(async () => {
  await swarm.clean();
  await installation.remove();
  await registry.stop();
});

it('pushes the image and runs it by its digest, and tells nobody the password', async () => {
  const view = await client.run({ app_name: app, source: { dockerfile: DOCKERFILE } });
  expect(view).toMatchObject({
    status: 'success',
    image: expect.stringMatching(`^${registry.host}/team/${app}@sha256:[0-9a-f]{64}$`),
  });
  expect(await swarm.service()).toMatchObject({ image: view.image, running: 1 });
  const seen = JSON.stringify([view, await client.entries(view.deployment_id), installation.server.output]);
  expect(seen).not.toContain(REGISTRY_USER.password);
  expect(seen).not.toContain(encodeURIComponent(REGISTRY_USER.password));
});
