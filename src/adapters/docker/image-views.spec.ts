import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startDockerFixtures, type DockerFixtures } from '../../../test/support/docker-fixtures.js';
import { DockerImages } from './docker-images.js';
import type { EngineImage } from './docker-types.js';
import { imageDetails } from './image-views.js';

jest.setTimeout(60_000);

const BARE: EngineImage = { Id: 'sha256:1', Architecture: 'amd64', Os: 'linux', Size: 5 };

describe('the details of an image', () => {
  it('are all that the Engine tells, the base first', () => {
    const image: EngineImage = {
      ...BARE,
      RepoTags: ['app:1'],
      Created: '2026-02-03T10:00:00Z',
      Config: {
        User: 'node:node',
        Env: ['PATH=/bin', 'QUERY=a=b', 'EMPTY='],
        ExposedPorts: { '80/tcp': {}, '53/udp': {} },
        Volumes: { '/data': {} },
        Entrypoint: ['/entry'],
        Cmd: ['serve'],
        Labels: { team: 'web' },
        Healthcheck: { Test: ['CMD', 'true'] },
      },
    };
    const newestFirst = [
      { CreatedBy: 'CMD ["serve"]', Size: 0 },
      { CreatedBy: 'ADD file in /', Size: 5 },
    ];
    expect(imageDetails(image, newestFirst)).toEqual({
      id: 'sha256:1',
      repo_tags: ['app:1'],
      user: 'node:node',
      env: { PATH: '/bin', QUERY: 'a=b', EMPTY: '' },
      exposed_ports: [
        { port: 80, protocol: 'tcp' },
        { port: 53, protocol: 'udp' },
      ],
      volumes: ['/data'],
      entrypoint: ['/entry'],
      command: ['serve'],
      healthcheck: ['CMD', 'true'],
      labels: { team: 'web' },
      size_bytes: 5,
      created_at: '2026-02-03T10:00:00Z',
      history: [
        { created_by: 'ADD file in /', size_bytes: 5 },
        { created_by: 'CMD ["serve"]', size_bytes: 0 },
      ],
    });
  });

  const bare = {
    id: 'sha256:1',
    repo_tags: [],
    user: '',
    env: {},
    exposed_ports: [],
    volumes: [],
    entrypoint: [],
    command: [],
    labels: {},
    size_bytes: 5,
    history: [],
  };
  it.each<[string, EngineImage]>([
    ['left out', BARE],
    ['null', { ...BARE, RepoTags: null, Config: null }],
    [
      'null inside',
      { ...BARE, Config: { Env: null, ExposedPorts: null, Volumes: null, Entrypoint: null, Cmd: null, Labels: null } },
    ],
    ['a health check of the base that is switched off', { ...BARE, Config: { Healthcheck: { Test: ['NONE'] } } }],
  ])('are empty where everything is %s', (_, image) => {
    expect(imageDetails(image, [])).toEqual(bare);
  });
});

describe('the details that the Engine itself gives', () => {
  let fixtures: DockerFixtures;
  beforeAll(async () => {
    fixtures = await startDockerFixtures();
  });
  afterAll(() => fixtures.clean());

  it('tell what an image is set to do, and how it came about', async () => {
    const images = new DockerImages(fixtures.client);
    const tag = await fixtures.build(
      'described',
      [
        `FROM ${fixtures.busybox}`,
        'RUN echo something > /file',
        'ENV GREETING="hello world"',
        'EXPOSE 8080',
        'VOLUME /data',
        'USER 1000:1000',
        'LABEL team=web',
        'HEALTHCHECK CMD ["true"]',
        'ENTRYPOINT ["sleep"]',
        'CMD ["60"]',
      ].join('\n'),
    );
    const { id, size_bytes } = (await images.inspect(tag))!;
    const details = (await images.describe(tag))!;
    expect(details).toEqual({
      id,
      repo_tags: [tag],
      user: '1000:1000',
      env: { PATH: expect.stringContaining('/bin'), GREETING: 'hello world' },
      exposed_ports: [{ port: 8080, protocol: 'tcp' }],
      volumes: ['/data'],
      entrypoint: ['sleep'],
      command: ['60'],
      healthcheck: ['CMD', 'true'],
      labels: { team: 'web', 'flukedeploy.test': fixtures.prefix },
      size_bytes,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      history: expect.any(Array),
    });
    const steps = details.history.map(({ created_by }) => created_by);
    expect(steps[0]).toContain('COPY');
    expect(steps.findIndex((step) => step.includes('CMD ["60"]'))).toBeGreaterThan(
      steps.findIndex((step) => step.includes('ENTRYPOINT')),
    );
    expect(details.history[steps.findIndex((step) => step.includes('echo something'))]).toMatchObject({
      size_bytes: 'something\n'.length,
    });
    expect(await images.describe(id)).toEqual(details);
    expect(await images.describe(`${fixtures.prefix}/nothing`)).toBeUndefined();
  });
});
