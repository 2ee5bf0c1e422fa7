import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startDockerFixtures, type DockerFixtures } from '../../../test/support/docker-fixtures.js';
import { DockerImages } from '../../adapters/docker/docker-images.js';
import type { JsonObject, PluginDeployment } from '../../plugin/index.js';
import { runHook } from '../../plugin/testing.js';
import { imagePolicy } from './index.js';
import { OPTIONS } from './options.js';

jest.setTimeout(60_000);

const GOOD = `
HEALTHCHECK CMD true
EXPOSE 80
USER 1000
LABEL org.opencontainers.image.base.name=busybox:1.37
`;

let fixtures: DockerFixtures;
let good: string;
beforeAll(async () => {
  fixtures = await startDockerFixtures();
  good = await fixtures.build('good', `FROM ${fixtures.busybox}${GOOD}`);
});
afterAll(() => fixtures.clean());

const look = (reference: string, options: JsonObject = {}, deployment: Partial<PluginDeployment> = {}) =>
  runHook(imagePolicy(new DockerImages(fixtures.client)), 'pre_deploy', { image: { reference }, options, deployment });

/** On top of what is well. */
const build = (name: string, ...lines: string[]) =>
  fixtures.build(name, `FROM ${fixtures.busybox}${GOOD}${lines.join('\n')}\n`);

it('finds nothing in a good image, and tells its size', async () => {
  const { findings, outputs } = await look(good);
  expect(findings).toEqual([]);
  expect(outputs).toEqual({ size_bytes: expect.any(Number) });
});

describe('the image', () => {
  it.each([
    ['names no user', 'USER ""', { severity: 'warning', code: 'runs_as_root', place: 'USER', hint: /USER/ }],
    ['runs as root', 'USER root', { severity: 'warning', code: 'runs_as_root', place: 'USER', hint: /USER/ }],
    ['runs as 0 in a group', 'USER 0:1000', { severity: 'warning', code: 'runs_as_root', place: 'USER', hint: /USER/ }],
    [
      'has its health check switched off',
      'HEALTHCHECK NONE',
      { severity: 'warning', code: 'no_healthcheck', place: 'HEALTHCHECK', hint: /HEALTHCHECK/ },
    ],
    [
      'is built on what has no tag',
      'LABEL org.opencontainers.image.base.name=busybox',
      {
        severity: 'warning',
        code: 'base_image_floating',
        place: 'LABEL org.opencontainers.image.base.name',
        hint: /version/,
      },
    ],
    [
      'is built on latest',
      'LABEL org.opencontainers.image.base.name=registry.example:5000/busybox:latest',
      {
        severity: 'warning',
        code: 'base_image_floating',
        place: 'LABEL org.opencontainers.image.base.name',
        hint: /version/,
      },
    ],
    [
      'sets a password',
      'ENV DB_PASSWORD=correct-horse-battery',
      { severity: 'error', code: 'secret_in_env', place: 'ENV DB_PASSWORD', hint: /secret file/ },
    ],
  ])('that %s', async (name, line, expected) => {
    const { findings } = await look(await build(name.replaceAll(/\W/g, '-').toLowerCase(), line));
    expect(findings).toEqual([
      { ...expected, message: expect.any(String), hint: expect.stringMatching(expected.hint) },
    ]);
    expect(JSON.stringify(findings)).not.toContain('correct-horse');
  });

  it('that keeps a secret in its history only', async () => {
    const tag = await build('history', 'ARG NPM_TOKEN=correct-horse-battery', 'RUN true');
    const { findings } = await look(tag);
    expect(findings.map(({ code }) => code)).toEqual(findings.map(() => 'secret_in_history'));
    expect(findings.length).toBeGreaterThan(0);
    expect(findings[0]).toMatchObject({
      severity: 'error',
      message: expect.stringMatching(/^Step \d+ of the image's history holds a value of NPM_TOKEN\.$/),
      place: expect.stringMatching(/^history:\d+$/),
      hint: expect.stringContaining('--mount=type=secret'),
    });
    expect(JSON.stringify(findings)).not.toContain('correct-horse');
  });

  it('that is as bare as can be', async () => {
    const { findings } = await look(fixtures.busybox);
    expect(findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual([
      'warning runs_as_root',
      'warning no_healthcheck',
      'info base_image_unknown',
      'warning port_not_exposed',
    ]);
  });

  it('that is pinned by the digest of its base is well, whatever the tag', async () => {
    const digest = `org.opencontainers.image.base.digest=sha256:${'0'.repeat(64)}`;
    const tag = await build('pinned', `LABEL org.opencontainers.image.base.name=busybox ${digest}`);
    expect((await look(tag)).findings).toEqual([]);
  });

  it('that is not there fails the hook', async () => {
    expect((await look(`${fixtures.prefix}/nothing:1`)).failure?.code).toBe('image_not_found');
  });
});

describe('the deployment', () => {
  it('sends its requests to a port that the image does not expose', async () => {
    const { findings } = await look(good, {}, { port: 8080 });
    expect(findings).toEqual([
      {
        severity: 'warning',
        code: 'port_not_exposed',
        message: 'Requests go to port 8080, but the image exposes 80/tcp.',
        place: 'EXPOSE',
        hint: expect.stringContaining('EXPOSE 8080'),
      },
    ]);
    expect((await look(good, {}, { port: 0 })).findings).toEqual([]);
  });

  it('mounts the socket of Docker', async () => {
    const volumes = [
      { source: 'data', target: '/data', read_only: false },
      { source: '/var/run/docker.sock', target: '/var/run/docker.sock', read_only: true },
    ];
    const { findings } = await look(good, {}, { volumes });
    expect(findings).toEqual([
      {
        severity: 'error',
        code: 'forbidden_mount',
        message: expect.stringContaining('/var/run/docker.sock'),
        place: 'volumes.1',
        hint: expect.any(String),
      },
    ]);
  });

  it('names an image by latest, or by no tag', async () => {
    const repo = `${fixtures.prefix}/floating`;
    await fixtures.docker.getImage(good).tag({ repo, tag: 'latest' });
    for (const source of [repo, `${repo}:latest`]) {
      expect((await look(repo, {}, { source })).findings).toEqual([
        {
          severity: 'warning',
          code: 'image_tag_floating',
          message: `${source} is another image tomorrow.`,
          place: 'source',
          hint: expect.stringContaining('version'),
        },
      ]);
    }
    // Known by that name too, but deployed by another.
    expect((await look(good, {}, { source: good })).findings).toEqual([]);
  });
});

const BEFORE = { services: ['web_r1'], replicas: 1 };

describe('the size', () => {
  it('is compared with what serves now', async () => {
    const { findings, outputs } = await look(
      await build('grown', 'USER 0', 'RUN cat /bin/busybox /bin/busybox > /blob', 'USER 1000'),
      {},
      { before: { ...BEFORE, image: good } },
    );
    expect(findings).toEqual([
      {
        severity: 'warning',
        code: 'image_grew',
        message: expect.stringMatching(/^The image has [\d.]+ MB, 200 % more than the one that serves now\.$/),
        place: 'size',
        hint: expect.any(String),
      },
    ]);
    expect(outputs).toEqual({ size_bytes: expect.any(Number), growth_percent: 200 });
    const patient = await look(
      `${fixtures.prefix}/grown:1`,
      { max_growth_percent: 200 },
      { before: { ...BEFORE, image: good } },
    );
    expect(patient.findings).toEqual([]);
  });

  it('is not compared with what is gone, and that is said', async () => {
    const { findings, logs } = await look(good, {}, { before: { ...BEFORE, image: `${fixtures.prefix}/gone:1` } });
    expect(findings).toEqual([]);
    expect(logs).toMatchObject([{ message: expect.stringContaining('is not on this node') }]);
  });

  it('has a limit where one is set', async () => {
    expect((await look(good, { max_size_mb: 0.5 })).findings).toEqual([
      {
        severity: 'error',
        code: 'image_too_large',
        message: expect.stringMatching(/^The image has [\d.]+ MB; 0\.5 MB are allowed\.$/),
        place: 'size',
        hint: expect.any(String),
      },
    ]);
    expect((await look(good, { max_size_mb: 100 })).findings).toEqual([]);
  });
});

describe('the options', () => {
  it('switch findings off, which is said', async () => {
    const ignore = ['no_healthcheck', 'port_not_exposed', 'base_image_unknown'];
    const { findings, logs } = await look(fixtures.busybox, { allow_root: true, ignore });
    expect(findings).toEqual([]);
    const message = 'Ignored as configured: no_healthcheck, base_image_unknown, port_not_exposed.';
    expect(logs).toEqual([{ level: 'info', message }]);
  });

  it.each([
    { ignore: ['nonsense'] },
    { unknown: true },
    { max_size_mb: 0 },
    { max_growth_percent: -1 },
    { allow_root: 'yes' },
  ])('%j are refused', (options) => {
    expect(OPTIONS.safeParse(options).success).toBe(false);
  });
});
