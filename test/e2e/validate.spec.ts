/** A validation tells what would become of a deployment, and leaves nothing behind. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppView } from '../../src/modules/apps/app.view.js';
import type { ValidationView } from '../../src/modules/deployments/validation/validation.view.js';
import { Client, form, type Answer } from '../support/client.js';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { leftovers, NOTHING_LEFT } from '../support/leftovers.js';
import { TestInstallation } from '../support/server-process.js';
import { tarOf } from '../support/tar.js';
import { installStandIn, REPORT } from '../support/trivy.js';
import { until } from '../support/until.js';
import { dockerfileServing, serving, shell } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

type Body = Record<string, unknown>;

let bench: Workbench;
let prefix: string;
let trivy: string;
let before: Counts;

beforeAll(async () => {
  trivy = await mkdtemp(join(tmpdir(), 'flukedeploy-trivy-'));
  bench = await Workbench.set({ TRIVY_PATH: join(trivy, 'trivy') });
  await installStandIn(trivy, join(bench.installation.directory, 'trivy'));
  prefix = bench.app('').slice(0, -1);
  bench.start('live', { ...serving('live'), replicas: 2, env: { TEXT: 'one' }, domains: [`${prefix}.example.com`] });
  bench.start('volume', { ...serving('volume'), volumes: [{ source: bench.app('data'), target: '/data' }] });
  bench.start('failed', { image: 'busybox:1', command: shell('exit 3') });
  for (const name of ['live', 'volume']) expect(await bench.ended(name)).toMatchObject({ status: 'success' });
  await bench.ended('failed');
  before = await counts();
});
afterAll(async () => {
  await bench.clear();
  await rm(trivy, { recursive: true, force: true });
});

/** What a validation must not change. */
type Counts = Record<
  'sboms' | 'deployments' | 'entries' | 'apps' | 'domains' | 'archive_pieces' | 'keys' | 'last_release',
  number
>;

function counts(): Promise<Counts> {
  return bench.database(async (database) => {
    const [row] = await database.query<Counts>(
      `select (select count(*)::int from sboms) as sboms, (select count(*)::int from deployments) as deployments, (select count(*)::int from entries) as entries,
         (select count(*)::int from apps) as apps, (select count(*)::int from domains) as domains,
         (select count(*)::int from archive_pieces) as archive_pieces,
         (select count(*)::int from idempotency_keys) as keys, (select sum(last_release)::int from apps) as last_release`,
    );
    if (row === undefined) throw new Error('nothing was counted');
    return row;
  });
}

function ask<Answered = ValidationView>(
  name: string,
  body: Body,
  { archive, client = bench.client }: { archive?: Uint8Array; client?: Client } = {},
): Promise<Answer<Answered>> {
  const spec = { app_name: bench.app(name), ...body };
  return client.request<Answered>('POST', '/api/v1/validate', archive ? form(spec, archive) : spec);
}

async function validate(name: string, body: Body = {}, archive?: Uint8Array): Promise<ValidationView> {
  const answer = await ask(name, body, archive && { archive });
  if (answer.status !== 200) throw new Error(`it was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const source = (dockerfile: string): Body => ({ source: { dockerfile } });
/** Made for this run. */
const PRIVATE_KEY = generateKeyPairSync('rsa', { modulusLength: 2048 })
  .privateKey.export({ type: 'pkcs1', format: 'pem' })
  .toString();
const GOOD = dockerfileServing('good');
const actionsOf = ({ plan }: ValidationView, phase = 'deploy'): string[] =>
  plan.filter((step) => step.phase === phase).map(({ action }) => action);

describe('a source', () => {
  it('that is good is valid, with all that would be done', async () => {
    const found = await validate('new', source(GOOD));
    expect(found).toMatchObject({
      valid: true,
      restart: { replicas: 0 },
      expected_downtime: { seconds: 0 },
      capacity: { replicas_extra: 1, fits: true },
      plan_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(found.issues.filter(({ severity, stops }) => severity === 'error' || stops)).toEqual([]);
    expect(found.plan.map(({ phase, action }) => `${phase} ${action}`)).toEqual([
      'pre_build check',
      'build build',
      'pre_deploy check',
      'deploy start',
      'deploy switch',
      'post_deploy watch',
    ]);
    expect(found.plan[0]?.plugins).toEqual(['source-check', 'secret-scan']);
  });

  it('in an archive is good as well', async () => {
    expect(await validate('new', {}, tarOf({ Dockerfile: GOOD }))).toMatchObject({ valid: true });
  });

  it.each<[string, Body, Record<string, string> | undefined, Record<string, unknown>]>([
    [
      'without a Dockerfile',
      {},
      { 'index.html': 'hello' },
      { code: 'definition_missing', path: 'source', hint: expect.stringContaining('root of the archive') },
    ],
    [
      'that names an image and a Dockerfile in its captain-definition',
      { source: { captain_definition: { schemaVersion: 2, imageName: 'a', dockerfileLines: ['FROM a'] } } },
      undefined,
      { code: 'source_unusable', path: 'source.captain_definition' },
    ],
    [
      'of a host that is not allowed',
      { source: { git: { url: 'http://127.0.0.1:1/app.git' } } },
      undefined,
      { code: 'git_host_refused', path: 'source.git.url', hint: expect.stringContaining('GIT_ALLOWED_HOSTS') },
    ],
    [
      'whose Dockerfile cannot be read',
      {},
      { Dockerfile: 'FROM busybox:1\nRUM echo\n' },
      { code: 'dockerfile_invalid', plugin: 'source-check', path: 'Dockerfile:2', hint: expect.any(String) },
    ],
    [
      'with a plugin that nobody knows',
      { ...source(GOOD), plugins: [{ name: 'unheard-of' }] },
      undefined,
      { code: 'plugin_unknown', path: 'plugins.0.name', hint: expect.stringContaining('/api/v1/plugins') },
    ],
    [
      'with options that a plugin does not take',
      { ...source(GOOD), plugins: [{ name: 'run-tests', options: { command: [] } }] },
      undefined,
      { code: 'plugin_options_invalid', path: 'plugins.0.options.command' },
    ],
    [
      'that wants more than any node has',
      { ...source(GOOD), resources: { cpu_reservation: 1000 } },
      undefined,
      { code: 'capacity_insufficient', path: 'resources', plugin: 'cluster-check', hint: expect.any(String) },
    ],
    [
      'whose volumes do not go with its strategy',
      { ...source(GOOD), strategy: 'canary', volumes: [{ source: 'data', target: '/data' }] },
      undefined,
      { code: 'strategy_unsupported', path: 'strategy', hint: 'Use rolling.' },
    ],
    [
      'the same where no plugin looks',
      { ...source(GOOD), strategy: 'canary', volumes: [{ source: 'data', target: '/data' }], validation_level: 'none' },
      undefined,
      { code: 'strategy_unsupported', path: 'strategy', hint: 'Use rolling.' },
    ],
  ])('%s is not valid', async (_, body, files, issue) => {
    const found = await validate('new', body, files && tarOf(files));
    expect(found.valid).toBe(false);
    expect(found.issues.filter(({ stops }) => stops)).toEqual([
      expect.objectContaining({ severity: 'error', ...issue }),
    ]);
  });

  it('is refused for everything at once', async () => {
    const taken = `${prefix}.example.com`;
    const body = {
      ...source(GOOD),
      plugins: [{ name: 'unheard-of' }],
      domains: [taken],
      resources: { cpu_reservation: 999 },
    };
    const found = await validate('new', body);
    const stopping = found.issues.filter(({ stops }) => stops).map(({ code }) => code);
    expect(stopping).toEqual(['plugin_unknown', 'domain_taken', 'capacity_insufficient']);
    expect(found.capacity).toMatchObject({ replicas_extra: 1, cpus: 999, fits: false });
  });

  it.each([
    ['none', true, undefined],
    ['basic', true, false],
    ['strict', false, true],
  ])('with a secret: the level %s decides', async (validation_level, valid, stops) => {
    const archive = tarOf({ Dockerfile: GOOD, 'deploy.pem': PRIVATE_KEY });
    const found = await validate('new', { validation_level }, archive);
    const secrets = found.issues.filter(({ plugin }) => plugin === 'secret-scan');
    expect([...new Set(secrets.map((issue) => issue.stops))]).toEqual(stops === undefined ? [] : [stops]);
    expect(secrets.every(({ path, hint }) => path?.startsWith('deploy.pem') && hint)).toBe(true);
    expect(found.valid).toBe(valid);
  });

  it('of a secret value says nothing of it', async () => {
    const value = 'hunter2-hunter2-4711';
    const answer = await ask('new', { ...source(GOOD), env: { DB_PASSWORD: value }, secrets: { KEY: value } });
    expect(JSON.stringify(answer.body)).not.toContain(value);
  });
});

describe('an app that is live', () => {
  it('is validated without a source: nothing would be replaced', async () => {
    const found = await validate('live');
    expect(found).toMatchObject({ valid: true, restart: { replicas: 0 }, capacity: { replicas_extra: 0 } });
    expect(found.plan.map(({ phase, action }) => `${phase} ${action}`)).toEqual([
      'pre_build skip',
      'build skip',
      'pre_deploy check',
      'deploy start',
      'post_deploy watch',
    ]);
  });

  it.each<[string, Body, number]>([
    ['its number', { replicas: 5 }, 0],
    ['its domains', { domains: [] }, 0],
    ['its health check', { health_check: { path: '/other' } }, 0],
    ['its environment', { env: { TEXT: 'two' } }, 2],
    ['its secrets', { secrets: { KEY: 'a' } }, 2],
    ['its command', { command: ['httpd', '-f'] }, 2],
    ['its resources', { resources: { memory_limit_mb: 64 } }, 2],
    ['an image', { image: 'busybox:1' }, 2],
    ['a source', source(GOOD), 2],
  ])('is told what a change of %s replaces', async (_, body, replicas) => {
    expect((await validate('live', body)).restart).toMatchObject({ replicas, reason: expect.any(String) });
  });

  it.each<[string, Body, readonly string[]]>([
    ['rolling', {}, ['wave', 'wave', 'switch']],
    ['blue_green', { strategy: 'blue_green' }, ['start', 'switch']],
    ['canary', { strategy: 'canary' }, ['weight', 'pause', 'weight', 'pause', 'start', 'switch']],
  ])('would be updated by %s', async (_, body, actions) => {
    const found = await validate('live', { ...body, env: { TEXT: 'two' } });
    expect(actionsOf(found)).toEqual(actions);
    expect(found.expected_downtime).toMatchObject({ seconds: 0 });
    expect(actionsOf(found, 'post_deploy')).toEqual(['watch', 'retire']);
  });

  it('with a volume is told of its downtime', async () => {
    const found = await validate('volume', { env: { TEXT: 'two' } });
    expect(actionsOf(found)).toEqual(['stop', 'start', 'switch']);
    expect(found.valid).toBe(true);
    expect(found.expected_downtime?.seconds).toBeGreaterThan(0);
    expect(found.expected_downtime?.reason).toContain('one holder at a time');
  });

  it('keeps its host names to itself', async () => {
    const found = await validate('new', { ...source(GOOD), domains: ['free.example.com', `${prefix}.example.com`] });
    expect(found.valid).toBe(false);
    expect(found.issues).toContainEqual(
      expect.objectContaining({ code: 'domain_taken', path: 'domains.1', hint: expect.any(String), stops: true }),
    );
    expect(await validate('live', { domains: [`${prefix}.example.com`] })).toMatchObject({ valid: true });
  });

  it('must be there where no source is sent', async () => {
    expect(await ask('unheard-of', {})).toMatchObject({ status: 404, body: { code: 'app_not_found' } });
    expect(await validate('failed')).toMatchObject({
      valid: false,
      issues: [{ code: 'app_not_live', stops: true, hint: 'Deploy it first.' }],
      plan: [],
    });
  });
});

describe('the hash of a plan', () => {
  const hashOf = async (body: Body = {}): Promise<string | undefined> => (await validate('live', body)).plan_hash;

  it('stays for the same request, in whichever order, and whatever is tried out', async () => {
    const body = { env: { TEXT: 'two', OTHER: 'a' }, replicas: 3 };
    const hash = await hashOf(body);
    expect(hash).toEqual(expect.any(String));
    expect(await hashOf({ replicas: 3, env: { OTHER: 'a', TEXT: 'two' }, environment: 'production' })).toBe(hash);
    expect(await hashOf({ ...body, run_tests: true })).toBe(hash);
  });

  it('changes with everything that decides what would happen', async () => {
    const bodies: Body[] = [
      {},
      { env: { TEXT: 'two' } },
      { env: { TEXT: 'three' } },
      { replicas: 3 },
      { strategy: 'blue_green' },
      { validation_level: 'strict' },
      { plugins: [{ name: 'image-policy' }] },
      { image: 'busybox:1' },
      source(GOOD),
      source(dockerfileServing('other')),
    ];
    const hashes: unknown[] = [];
    for (const body of bodies) hashes.push(await hashOf(body));
    expect(new Set(hashes).size).toBe(bodies.length);
  });
});

describe('what is tried out', () => {
  const tests = (script: string): Body => ({ plugins: [{ name: 'run-tests', options: { command: shell(script) } }] });

  it('are tests that pass, in the image that would be deployed', async () => {
    const body = { ...source(GOOD), ...tests('grep good /www/index.html'), run_tests: true };
    const found = await validate('tested', body);
    expect(found).toMatchObject({ valid: true });
    expect(actionsOf(found, 'pre_deploy')).toEqual(['check', 'test']);
    expect(found.issues.some(({ plugin }) => plugin === 'image-policy')).toBe(true);
  });

  it('are tests that fail, with their last lines', async () => {
    const body = { image: 'busybox:1', ...tests('echo two and two are five; exit 1'), run_tests: true };
    const found = await validate('tested', body);
    expect(found.valid).toBe(false);
    expect(found.issues).toContainEqual(
      expect.objectContaining({
        code: 'tests_failed',
        severity: 'error',
        stops: true,
        plugin: 'run-tests',
        evidence: ['two and two are five'],
        hint: expect.any(String),
      }),
    );
  });

  it('is no build of what is refused, and no release command', async () => {
    const plugins = [
      ...(tests('exit 1')['plugins'] as Body[]),
      { name: 'release-command', options: { command: ['false'] } },
    ];
    const body = { ...source('FROM busybox:1\nRUN exit 7\n'), plugins, run_tests: true };
    const found = await validate('tested', body);
    const stopping = found.issues.filter(({ stops }) => stops);
    expect(stopping).toEqual([expect.objectContaining({ code: 'build_failed', path: 'source' })]);
    expect(found.issues.at(-1)).toMatchObject({
      code: 'not_run_here',
      message: expect.stringContaining('release-command'),
    });
  });

  it('is a scan of the image, at a level that asks for none', async () => {
    const { body } = await bench.client.request<AppView>('GET', `/api/v1/apps/${bench.app('live')}`);
    await writeFile(join(trivy, `${body.live?.image ?? ''}.json`), JSON.stringify(REPORT));
    const scanned = ({ issues }: ValidationView) => issues.filter(({ plugin }) => plugin === 'vulnerability-scan');
    const found = scanned(await validate('live', { run_security_scan: true }));
    expect(found.map(({ message }) => message).join()).toContain('CVE-2019-1549');
    expect(scanned(await validate('live'))).toEqual([]);
  });

  it('are no tests where there are none', async () => {
    const found = await validate('live', { run_tests: true });
    expect(found.valid).toBe(true);
    expect(found.issues).toContainEqual(
      expect.objectContaining({
        code: 'tests_not_configured',
        severity: 'warning',
        stops: false,
        hint: expect.any(String),
      }),
    );
  });
});

describe('who asks', () => {
  const clientWith = async (fields: Body): Promise<Client> => {
    const { body } = await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', {
      name: `validate-${JSON.stringify(fields).length}`,
      ...fields,
    });
    return bench.client.withToken(body.token);
  };

  it('must send what is of the right form', async () => {
    for (const [body, path] of [
      [{ run_tests: 'yes' }, 'run_tests'],
      [{ run_security_scan: 1 }, 'run_security_scan'],
      [{ replicas: 'two' }, 'replicas'],
      [{ unknown: 1 }, 'unknown'],
    ] as const) {
      expect(await ask('live', body)).toMatchObject({ status: 400, body: { errors: [{ path }] } });
    }
  });

  it('must be allowed to deploy the app', async () => {
    const reader = await clientWith({ scopes: ['read'] });
    expect(await ask('live', {}, { client: reader })).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    const stranger = await clientWith({ scopes: ['deploy'], apps: ['others-*'] });
    expect(await ask('live', {}, { client: stranger })).toMatchObject({ status: 404, body: { code: 'app_not_found' } });
    const friend = await clientWith({ scopes: ['deploy'], apps: [`${prefix}-*`] });
    expect(await ask('live', {}, { client: friend })).toMatchObject({ status: 200, body: { valid: true } });
  });

  it('shares the server with one other, and stops what was begun by going', async () => {
    const leaving = new AbortController();
    const body = JSON.stringify({
      app_name: bench.app('slow'),
      ...source('FROM busybox:1\nRUN sleep 600\n'),
      run_tests: true,
    });
    const request = {
      method: 'POST',
      headers: { authorization: `Bearer ${bench.client.token}`, 'content-type': 'application/json' },
      body,
      signal: leaving.signal,
    };
    const slow = [1, 2].map(() => fetch(`${bench.installation.server.url}/api/v1/validate`, request));
    const ends = Promise.allSettled(slow);
    const underWay = async (): Promise<number> => (await leftovers(bench.installation, prefix)).workspaces.length;
    await until(async () => (await underWay()) === 2, 'two are under way');
    const refused = await ask<{ code: string }>('live', {});
    expect(refused).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    leaving.abort();
    await ends;
    await until(async () => (await underWay()) === 0, 'nothing is under way', 60_000);
    expect(await ask('live', {})).toMatchObject({ status: 200 });
  });
});

it('without Docker nothing can be said', async () => {
  const elsewhere = await TestInstallation.create({ DOCKER_HOST: `unix://${trivy}/nothing.sock` });
  try {
    const client = await Client.logIn(() => elsewhere.server.url);
    const answer = await ask('new', source(GOOD), { client });
    expect(answer).toMatchObject({ status: 503, body: { code: 'docker_unavailable' } });
  } finally {
    await elsewhere.remove();
  }
});

it('nothing is left behind', async () => {
  expect(await counts()).toEqual(before);
  const served = ['live', 'volume'].map((name) => `${bench.app(name)}_r1`);
  const { services, containers, ...left } = await leftovers(bench.installation, prefix);
  const { services: _, containers: __, ...nothing } = NOTHING_LEFT;
  expect(left).toEqual(nothing);
  expect([...services].sort()).toEqual(served);
  expect(containers).toHaveLength(3);
  expect(await jobsOf(prefix)).toEqual([]);
});

/** Services, secrets and images of validations, whatever their names. */
async function jobsOf(app: string): Promise<unknown[]> {
  const docker = await new DockerClient().calls();
  const isOurs = (labels: Readonly<Record<string, string>> | null | undefined): boolean =>
    (labels?.['flukedeploy.app']?.startsWith(app) ?? false) &&
    (labels?.['flukedeploy.deployment']?.startsWith('val-') ?? false);
  const [services, secrets, images] = await Promise.all([
    docker.listServices(),
    docker.listSecrets(),
    docker.listImages(),
  ]);
  return [
    ...services.filter(({ Spec }) => isOurs(Spec?.Labels)),
    ...secrets.filter(({ Spec }) => isOurs(Spec?.Labels)),
    ...images.filter(({ Labels }) => isOurs(Labels)),
  ];
}
