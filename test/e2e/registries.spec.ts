/** Registries that were stored: their logins fetch private images, and built ones are pushed there. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { REGISTRY_USER, startTestRegistry, type TestRegistry } from '../support/test-registry.js';
import { until } from '../support/until.js';
import { dockerfileServing, QUICK_CHECK } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

const PATH = '/api/v1/registries';
let bench: Workbench;
let registry: TestRegistry;

beforeAll(async () => {
  registry = await startTestRegistry();
  bench = await Workbench.set();
});
afterAll(async () => {
  await bench.clear();
  await registry.stop();
});

const ask = (method: string, path: string, body?: unknown) => bench.client.request(method, path, body);
const login = () => ({ name: 'team', url: `http://${registry.host}/team`, ...REGISTRY_USER });

/** Stops the app and takes its image from this node: from now on only the registry has it. */
async function forget(app: string, image: string): Promise<void> {
  expect(await ask('DELETE', `/api/v1/apps/${app}`)).toMatchObject({ status: 200 });
  await until(async () => (await bench.swarm.running(app)).length === 0, `${app} has stopped`, 30_000);
  const docker = await new DockerClient().calls();
  // By its id, which takes every name with it.
  const { Id } = await docker.getImage(image).inspect();
  await docker.getImage(Id).remove({ force: true });
}

describe('a registry', () => {
  it('takes built images, and gives them only to those who know the login', async () => {
    const stored = await ask('POST', PATH, { ...login(), default_push: true });
    expect(stored).toMatchObject({ status: 201, body: { name: 'team', username: 'pusher', default_push: true } });
    const app = bench.app('private');
    const source = { dockerfile: dockerfileServing('private') };
    const built = await bench.client.run({ app_name: app, source, health_check: QUICK_CHECK });
    expect(built).toMatchObject({
      status: 'success',
      image: expect.stringMatching(`^${registry.host}/team/${app}@sha256:`),
    });

    await forget(app, built.image ?? '');
    expect(await ask('DELETE', `${PATH}/team`)).toMatchObject({ status: 204 });
    const image = `${registry.host}/team/${app}:${built.deployment_id}`;
    const refused = await bench.client.run({ app_name: app, image, health_check: QUICK_CHECK });
    expect(refused).toMatchObject({
      status: 'failed',
      failed_phase: 'build',
      error: { code: expect.stringMatching(/^(registry_denied|image_not_found)$/) },
    });

    expect(await ask('POST', PATH, login())).toMatchObject({ status: 201, body: { default_push: false } });
    const fetched = await bench.client.run({ app_name: app, image, health_check: QUICK_CHECK });
    expect(fetched).toMatchObject({ status: 'success', image: built.image });
    expect((await bench.swarm.get('/', app)).trim()).toBe('private');

    const list = await ask('GET', PATH);
    expect(list).toMatchObject({ status: 200, body: { registries: [{ name: 'team', url: login().url }] } });
    const seen = JSON.stringify([
      stored.body,
      list.body,
      await bench.client.entries(built.deployment_id),
      await bench.client.entries(fetched.deployment_id),
      bench.installation.server.output,
    ]);
    for (const secret of [REGISTRY_USER.password, 'enc:v1']) expect(seen).not.toContain(secret);
  });

  it('is kept with its password sealed, and every change of it is audited', async () => {
    const [row, actions] = await bench.database(async (database) => [
      (await database.query<{ password: string }>('select password from registries'))[0],
      (await database.query<{ action: string }>("select action from audit where target = 'team' order by number")).map(
        ({ action }) => action,
      ),
    ]);
    expect(row?.password).toMatch(/^enc:v1:/);
    expect(actions).toEqual(['registry.store', 'registry.delete', 'registry.store']);
  });

  it('that is the new default takes the place of the former one', async () => {
    for (const name of ['first', 'second']) {
      await ask('POST', PATH, { name, url: 'https://registry.example', default_push: true });
    }
    const { body } = await bench.client.request<{ registries: { name: string; default_push: boolean }[] }>('GET', PATH);
    expect(body.registries.filter(({ default_push }) => default_push).map(({ name }) => name)).toEqual(['second']);
    for (const name of ['first', 'second'])
      expect(await ask('DELETE', `${PATH}/${name}`)).toMatchObject({ status: 204 });
    expect(await ask('DELETE', `${PATH}/first`)).toMatchObject({ status: 404, body: { code: 'registry_not_found' } });
  });
});

it('is for administrators only', async () => {
  const { body } = await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', {
    name: 'deployer',
    scopes: ['read', 'deploy', 'apps:write'],
  });
  const client = bench.client.withToken(body.token);
  expect(await client.request('GET', PATH)).toMatchObject({ status: 403 });
  expect(await client.request('POST', PATH, login())).toMatchObject({ status: 403 });
  expect(await client.request('DELETE', `${PATH}/team`)).toMatchObject({ status: 403 });
});

describe('what cannot be', () => {
  const good = { name: 'good', url: 'https://registry.example/team' };
  it.each<[body: Record<string, unknown>, field: string]>([
    [{ ...good, name: 'Not-Good' }, 'name'],
    [{ name: 'good' }, 'url'],
    [{ ...good, url: 'registry.example' }, 'url'],
    [{ ...good, url: 'ftp://registry.example' }, 'url'],
    [{ ...good, url: 'https://me:secret@registry.example' }, 'url'],
    [{ ...good, url: 'https://registry.example/UPPER' }, 'url'],
    [{ ...good, url: 'https://registry.example/?a=b' }, 'url'],
    [{ ...good, username: 'me' }, 'password'],
    [{ ...good, password: 'secret' }, 'username'],
    [{ ...good, username: 'with space', password: 'secret' }, 'username'],
    [{ ...good, username: 'me', password: 'two\nlines' }, 'password'],
    [{ ...good, default_push: 'yes' }, 'default_push'],
    [{ ...good, token: 'x' }, 'token'],
  ])('%j is refused', async (body, field) => {
    const answer = await bench.client.request<{ errors: { path: string }[] }>('POST', PATH, body);
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path: field }] } });
    expect(JSON.stringify(answer.body)).not.toContain('secret');
  });
});
