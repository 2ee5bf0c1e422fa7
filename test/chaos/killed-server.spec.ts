/** The server is killed -9 at the worst moment of each phase; after the restart the deployment ends well, and once. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PHASES } from '../../src/domain/phases.js';
import { Client } from '../support/client.js';
import { DockerProxy } from '../support/docker-proxy.js';
import { assertValidEntry } from '../support/log-assertions.js';
import { TestInstallation } from '../support/server-process.js';
import { SwarmState } from '../support/swarm-state.js';
import { file, tar } from '../support/tar.js';

const prefix = `fdchaos-${randomBytes(4).toString('hex')}`;
const DOCKERFILE = 'FROM busybox:1\nCOPY index.html /www/index.html\nCMD ["httpd", "-f", "-p", "80", "-h", "/www"]\n';
const swarm = new SwarmState(prefix);

let proxy: DockerProxy;
let installation: TestInstallation;
let client: Client;

beforeAll(async () => {
  proxy = await DockerProxy.start();
  installation = await TestInstallation.create({ DOCKER_HOST: proxy.host });
  client = await Client.logIn(() => installation.server.url);
});
afterAll(async () => {
  await swarm.clean();
  await installation.remove();
  await proxy.stop();
});

/** Each phase ended well exactly once, nothing has a gap, and Swarm runs what the deployment says. */
async function endsWellAndOnce(app: string, id: string): Promise<void> {
  const view = await client.ended(id);
  expect(view).toMatchObject({ status: 'success', release: 1 });
  const entries = await client.entries(id);
  expect(entries.map(({ flukedeploy_metadata }) => flukedeploy_metadata.sequence)).toEqual(
    entries.map((_, index) => index + 1),
  );
  for (const phase of PHASES) {
    const done = entries.filter(
      ({ message, flukedeploy_metadata }) => flukedeploy_metadata.phase === phase && / done$/.test(message),
    );
    expect(done.filter(({ flukedeploy_metadata }) => flukedeploy_metadata.event_type !== undefined)).toHaveLength(1);
  }
  for (const entry of entries) await assertValidEntry(entry);
  expect(await swarm.service(app)).toEqual({ image: view.image, deployment: id, running: 1 });
  expect((await swarm.images()).filter((tag) => tag.includes(app))).toHaveLength(1);
}

describe('kill -9 and restart', () => {
  it.each([
    ['build, before the build begins', 'build', /^POST \/v[\d.]+\/build/, false],
    ['build, when the image is there and nobody knows', 'build', /^GET \/v[\d.]+\/images\/flukedeploy.*json/, false],
    ['pre_deploy', 'pre-deploy', /^GET \/v[\d.]+\/info/, false],
    ['deploy, before the service is made', 'deploy', /^POST \/v[\d.]+\/services\/create/, false],
    ['deploy, when the service is made and nobody knows', 'deployed', /^POST \/v[\d.]+\/services\/create/, true],
    ['post_deploy', 'post', /^GET \/v[\d.]+\/networks\/docker_gwbridge/, false],
  ])('in %s', async (_moment, name, pattern, answer) => {
    const app = `${prefix}-${name}-${randomBytes(2).toString('hex')}`;
    const held = proxy.hold(pattern, { answer });
    const { deployment_id } = await client.deploy(
      { app_name: app },
      tar(file('Dockerfile', DOCKERFILE), file('index.html', 'hello')),
    );
    await held;
    await installation.kill();
    await installation.start();
    await endsWellAndOnce(app, deployment_id);
  });

  it('in pre_build, while a large archive is unpacked', async () => {
    const app = `${prefix}-pre-build`;
    const files = Array.from({ length: 20_000 }, (_, index) => file(`assets/${index % 100}/${index}`, 'x'));
    const archive = tar(
      file('Dockerfile', DOCKERFILE),
      file('index.html', 'hello'),
      file('.dockerignore', 'assets\n'),
      ...files,
    );
    const { deployment_id } = await client.deploy({ app_name: app }, archive);
    await client.until(deployment_id, ({ phases }) => phases.pre_build.status === 'running');
    await installation.kill();
    await installation.start();
    await endsWellAndOnce(app, deployment_id);
  });

  it('right after the answer, before anything was done', async () => {
    const app = `${prefix}-accepted`;
    const { deployment_id } = await client.deploy(
      { app_name: app },
      tar(file('Dockerfile', DOCKERFILE), file('index.html', 'hello')),
    );
    await installation.kill();
    await installation.start();
    await endsWellAndOnce(app, deployment_id);
  });
});
