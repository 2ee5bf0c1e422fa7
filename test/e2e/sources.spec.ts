/** Wherever an app comes from, it ends as a service that runs exactly the image that the deployment names. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { addCommit, makeRepository, startGitServer, type GitServer } from '../support/git-server.js';
import { assertValidEntry } from '../support/log-assertions.js';
import { imageId, publishImage } from '../support/published-image.js';
import { file, folder, tar, tarGz } from '../support/tar.js';
import { startTestRegistry, type TestRegistry } from '../support/test-registry.js';
import { DOCKERFILE_SERVING_A_FILE, dockerfileServing, lines, QUICK_CHECK, serving } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

const GIT_TOKEN = 'gt-V3ryS3cretTokenOfTheRepository';
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const DOCKERFILE = lines(...DOCKERFILE_SERVING_A_FILE);
const check = { health_check: QUICK_CHECK };

let bench: Workbench;
let registry: TestRegistry;
let git: GitServer;
let privateGit: GitServer;
let root: string;
/** Of the repository `site.git`, in their order. */
let commits: string[];
let localId: string;
let published: { readonly tag: string; readonly pinned: string };

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'flukedeploy-git-'));
  commits = await makeRepository(
    root,
    'site.git',
    { files: { Dockerfile: DOCKERFILE, 'index.html': 'first commit' }, tag: 'v1.0' },
    { files: { Dockerfile: DOCKERFILE, 'index.html': 'newest of main' } },
    { files: { Dockerfile: DOCKERFILE, 'index.html': 'a feature' }, branch: 'feature/x' },
  );
  [git, privateGit, registry] = await Promise.all([
    startGitServer({ root }),
    startGitServer({ root, token: GIT_TOKEN }),
    startTestRegistry({ open: true }),
  ]);
  bench = await Workbench.set({
    GIT_ALLOWED_HOSTS: `${git.host},${privateGit.host}`,
    FLUKEDEPLOY_CONCURRENCY: '6',
  });
  localId = await imageId('busybox:1');
  const tag = `${registry.host}/${bench.app('busybox')}:1`;
  published = { tag, pinned: await publishImage(lines('FROM busybox:1', `LABEL published=${tag}`), tag) };
  startAll();
});
afterAll(async () => {
  await bench.clear();
  await Promise.all([git.stop(), privateGit.stop(), registry.stop()]);
  await rm(root, { recursive: true, force: true });
});

/** Every app deploys on its own: all at once is quicker than one after another. */
function startAll(): void {
  bench.start('tag', { ...serving('by tag') });
  bench.start('id', { ...serving('by id'), image: localId });
  bench.start('pulled', { ...serving('by registry tag'), image: published.tag });
  bench.start('digest', { ...serving('by digest'), image: published.pinned });

  const site = (text: string) => [file('Dockerfile', DOCKERFILE), file('index.html', text)];
  bench.start('gz', check, tarGz(folder('site/'), file('site/Dockerfile', DOCKERFILE), file('site/index.html', 'gz')));

  const defined = (definition: object) =>
    file('captain-definition', JSON.stringify({ schemaVersion: 2, ...definition }));
  const dockerfileLines = ['FROM busybox:1', 'COPY other.html /www/index.html', ...DOCKERFILE_SERVING_A_FILE.slice(2)];
  bench.start(
    'lines',
    check,
    tar(...site('of Dockerfile'), defined({ dockerfileLines }), file('other.html', 'of lines')),
  );
  bench.start(
    'path',
    check,
    tar(
      defined({ dockerfilePath: './deploy/web.dockerfile' }),
      file('deploy/web.dockerfile', DOCKERFILE),
      file('Dockerfile', 'FROM scratch\n'),
      file('index.html', 'of path'),
    ),
  );
  bench.start('named', { ...serving('of image name'), image: undefined }, tar(defined({ imageName: 'busybox:1' })));
  bench.start('template', check, tar(...site('never'), defined({ templateId: 'node/8.7.0' })));
  bench.start('nothing', check, tar(file('readme.txt', 'no definition')));

  const written = dockerfileServing('of JSON').trimEnd().split('\n');
  bench.start('json', { ...check, source: { captain_definition: { schemaVersion: 2, dockerfileLines: written } } });
  bench.start('jsonimage', {
    ...serving('of JSON image'),
    image: undefined,
    source: { captain_definition: { schemaVersion: 2, imageName: 'busybox:1' } },
  });
  bench.start('text', { ...check, source: { dockerfile: dockerfileServing('of text') } });

  const url = `${git.url}/site.git`;
  bench.start('default', { ...check, source: { git: { url } } });
  bench.start('branch', { ...check, source: { git: { url, ref: 'feature/x' } } });
  bench.start('release', { ...check, source: { git: { url, ref: 'v1.0' } } });
  bench.start('commit', { ...check, source: { git: { url, ref: commits[0] } } });
  bench.start('private', { ...check, source: { git: { url: `${privateGit.url}/site.git`, token: GIT_TOKEN } } });
}

/** The deployment succeeded, and what it says is what runs. */
async function expectServes(name: string, text: string): Promise<DeploymentView> {
  const view = await bench.ended(name);
  expect(view).toMatchObject({ status: 'success', image_digest: expect.stringMatching(DIGEST) });
  expect(view.image?.endsWith(view.image_digest ?? '')).toBe(true);
  const app = bench.app(name);
  expect(await bench.swarm.service(app)).toEqual({ image: view.image, deployment: view.deployment_id, running: 1 });
  expect((await bench.swarm.get('/', app)).trim()).toBe(text);
  for (const entry of await bench.client.entries(view.deployment_id)) await assertValidEntry(entry);
  return view;
}

async function expectFails(name: string, code: string): Promise<DeploymentView> {
  const view = await bench.ended(name);
  expect(view).toMatchObject({ status: 'failed', failed_phase: 'pre_build', error: { code, retryable: false } });
  return view;
}

/** The answer to a deploy that is refused at once. */
const refused = async (spec: Record<string, unknown>) => {
  const { status, body } = await bench.client.request('POST', '/api/v1/deploy', { app_name: bench.app('no'), ...spec });
  return { status, ...body };
};

describe('an image', () => {
  it('that is only on this node runs by its id', async () => {
    const view = await expectServes('tag', 'by tag');
    expect(view).toMatchObject({ version: '1', image: localId, source: 'busybox:1' });
    expect(view.phases.pre_build).toMatchObject({ status: 'skipped', reason: expect.any(String) });
  });

  it('can be named by its id', async () => {
    const view = await expectServes('id', 'by id');
    expect(view).toMatchObject({ version: 'v1', image: localId });
  });

  it('of a registry is pinned to the digest of its tag', async () => {
    expect(await expectServes('pulled', 'by registry tag')).toMatchObject({ version: '1', image: published.pinned });
  });

  it('of a registry can be named by its digest', async () => {
    expect(await expectServes('digest', 'by digest')).toMatchObject({ version: 'v1', image: published.pinned });
  });
});

describe('an archive', () => {
  it('may be compressed and have a single top folder', async () => {
    await expectServes('gz', 'gz');
  });

  it('with a captain-definition is built by its lines, even where there is a Dockerfile too', async () => {
    await expectServes('lines', 'of lines');
  });

  it('with a captain-definition is built by the Dockerfile that it names', async () => {
    await expectServes('path', 'of path');
  });

  it('with a captain-definition that names an image builds nothing', async () => {
    const view = await expectServes('named', 'of image name');
    expect(view.image).toBe(localId);
  });

  it('with a captain-definition that names a template fails with words that say so', async () => {
    const { error } = await expectFails('template', 'template_unsupported');
    expect(error?.message).toContain('node/8.7.0');
    expect(error?.hint).toContain('dockerfileLines');
  });

  it('without any definition fails and names what it holds', async () => {
    const { error } = await expectFails('nothing', 'definition_missing');
    expect(error?.evidence).toEqual(['readme.txt']);
  });
});

describe('a captain-definition in JSON', () => {
  it('is built by its lines', async () => {
    await expectServes('json', 'of JSON');
  });

  it('may name an image, and nothing is checked or built', async () => {
    const { phases, version } = await expectServes('jsonimage', 'of JSON image');
    expect(phases.pre_build.status).toBe('skipped');
    expect(version).toBe('1');
  });

  it.each([
    ['a template', { templateId: 'node/8' }, 'source.captain_definition', /templateId/],
    ['a file', { dockerfilePath: './Dockerfile' }, 'source.captain_definition.dockerfilePath', /needs files/],
  ])('that asks for %s is refused at once', async (_, definition, path, message) => {
    const answer = await refused({ source: { captain_definition: { schemaVersion: 2, ...definition } } });
    expect(answer).toMatchObject({
      status: 422,
      code: 'source_unusable',
      errors: [{ path, message: expect.stringMatching(message) }],
    });
  });
});

describe('the text of a Dockerfile', () => {
  it('is built', async () => {
    await expectServes('text', 'of text');
  });

  it('with a mistake is refused at once, naming the line', async () => {
    expect(await refused({ source: { dockerfile: 'FROM busybox:1\nRUMM true\n' } })).toMatchObject({
      status: 422,
      code: 'source_unusable',
      errors: [{ path: 'source.dockerfile', message: expect.stringMatching(/line 2: unknown instruction RUMM/) }],
    });
  });
});

describe('a git repository', () => {
  it.each([
    ['default', 'its default branch', 'newest of main', 1],
    ['branch', 'a branch', 'a feature', 2],
    ['release', 'a tag', 'first commit', 0],
    ['commit', 'a commit', 'first commit', 0],
    ['private', 'a token', 'newest of main', 1],
  ])('by %s: %s', async (name, _, text, commit) => {
    const view = await expectServes(name, text);
    expect(view).toMatchObject({ commit: commits[commit], version: commits[commit]?.slice(0, 12) });
  });

  it('is built at the commit of the request, although the branch moves on before it is fetched', async () => {
    const [pinned = ''] = await makeRepository(root, 'moving.git', {
      files: { Dockerfile: DOCKERFILE, 'index.html': 'as asked for' },
    });
    const app_name = bench.app('moved');
    const first = await bench.client.deploy({
      app_name,
      ...check,
      source: { dockerfile: dockerfileServing('in the way', `RUN sleep 3; echo ${app_name}`) },
    });
    const asked = bench.client.deploy({ app_name, source: { git: { url: `${git.url}/moving.git`, ref: 'main' } } });
    const { deployment_id, behind } = await asked;
    expect(behind).toBe(first.deployment_id);
    await addCommit(join(root, 'moving.git'), { files: { Dockerfile: DOCKERFILE, 'index.html': 'later' } });

    const view = await bench.client.ended(deployment_id);
    expect(view).toMatchObject({ status: 'success', commit: pinned });
    expect(await bench.swarm.get('/', app_name)).toBe('as asked for');
  });

  it('keeps its token to itself', async () => {
    const { deployment_id } = await bench.ended('private');
    const encoded = Buffer.from(`oauth2:${GIT_TOKEN}`).toString('base64');
    const shown = JSON.stringify([
      await bench.client.request('GET', `/api/v1/deployments/${deployment_id}`),
      await bench.client.request('GET', `/api/v1/deployments/${deployment_id}/logs?limit=10000`),
      await bench.client.request('GET', `/api/v1/apps/${bench.app('private')}/deployments`),
      bench.installation.server.output,
    ]);
    expect(shown).not.toContain(GIT_TOKEN);
    expect(shown).not.toContain(encoded);
    expect(privateGit.requests).not.toHaveLength(0);
  });

  it.each([
    ['a ref that is not there', () => ({ url: `${git.url}/site.git`, ref: 'gone' }), 'git_ref_not_found', /gone/],
    ['a repository that is not there', () => ({ url: `${git.url}/none.git` }), 'git_unreachable', /none\.git/],
    [
      'a wrong token',
      () => ({ url: `${privateGit.url}/site.git`, token: 'wr0ng-T0ken-of-somebody' }),
      'git_unreachable',
      /refused the token/,
    ],
    ['a private address that is not allowed', () => ({ url: 'http://127.0.0.1:9/x.git' }), 'git_host_refused', /127/],
  ])('with %s is refused at once', async (_, source, code, detail) => {
    const answer = await refused({ source: { git: source() } });
    expect(answer).toMatchObject({ status: 422, code, detail: expect.stringMatching(detail) });
    expect(JSON.stringify(answer)).not.toContain('wr0ng');
  });
});

it('exactly one source is taken', async () => {
  const both = { image: 'busybox:1', source: { dockerfile: 'FROM busybox:1\n' } };
  expect(await refused(both)).toMatchObject({ status: 400, code: 'invalid_field', errors: [{ path: 'source' }] });
  expect(await refused({})).toMatchObject({ status: 400, code: 'invalid_field', errors: [{ path: 'source' }] });
});
