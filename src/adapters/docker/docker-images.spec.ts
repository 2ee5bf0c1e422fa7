import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startDockerFixtures, until, type DockerFixtures } from '../../../test/support/docker-fixtures.js';
import { freePort, REGISTRY_USER, startTestRegistry, type TestRegistry } from '../../../test/support/test-registry.js';
import type { ImageView } from '../../domain/ports.js';
import { DockerImages } from './docker-images.js';
import type { Registries } from './registry-location.js';

jest.setTimeout(60_000);

const never = new AbortController().signal;
let fixtures: DockerFixtures;
let registry: TestRegistry;
let folder: string;

beforeAll(async () => {
  [fixtures, registry] = await Promise.all([startDockerFixtures(), startTestRegistry()]);
  folder = await mkdtemp(join(tmpdir(), 'flukedeploy-build-'));
});
afterAll(async () => {
  await fixtures.clean();
  await registry.stop();
  await rm(folder, { recursive: true });
});

interface Attempt {
  readonly images: DockerImages;
  readonly lines: string[];
  readonly image: Promise<ImageView>;
}

function build(
  dockerfile: string,
  options: { buildkit?: boolean; name?: string; signal?: AbortSignal; registries?: Registries } = {},
): Attempt {
  const images = new DockerImages(fixtures.client, options);
  const lines: string[] = [];
  const order = {
    folder,
    dockerfile: 'Dockerfile',
    tag: `${fixtures.prefix}/${options.name ?? 'app'}:dep-1`,
    labels: { 'flukedeploy.test': fixtures.prefix },
  };
  const image = writeFile(join(folder, 'Dockerfile'), dockerfile).then(() =>
    images.build(order, (line) => lines.push(line), options.signal ?? never),
  );
  return { images, lines, image };
}

/** Whether a process with this argument runs anywhere on the machine, in containers too. */
async function runs(argument: string): Promise<boolean> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0').includes(argument)) return true;
  }
  return false;
}

function openConnections(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'PipeWrap').length;
}

describe.each([
  ['BuildKit', true],
  ['the classic builder', false],
])('%s', (_, buildkit) => {
  it('builds, and shows what it does line by line', async () => {
    const { image, lines } = build(
      `FROM ${fixtures.busybox}\nCOPY . /context\nRUN echo one; printf '\\033[31mtwo\\033[0m\\n'; printf '10%%\\r99%%\\n'\nRUN echo ${buildkit}\nHEALTHCHECK CMD true`,
      { buildkit },
    );
    const view = await image;
    expect(view).toMatchObject({
      os: 'linux',
      architecture: 'amd64',
      has_healthcheck: true,
      reference: view.id,
      digest: view.id,
    });
    const output = lines.map((line) => line.replace(/^#\d+ /, ''));
    expect(output).toEqual(expect.arrayContaining(['one', 'two', '99%', String(buildkit)]));
    expect(output.filter((line) => /^(\[3\/4\]|Step 3\/\d :) RUN echo one/.test(line))).toHaveLength(1);

    const { Config } = await fixtures.docker.getImage(view.id).inspect();
    expect(Config.Labels).toEqual({ 'flukedeploy.managed': 'true', 'flukedeploy.test': fixtures.prefix });
  });

  it('tells which step failed, with the last lines', async () => {
    const { image } = build(`FROM ${fixtures.busybox}\nRUN for i in $(seq 50); do echo line $i; done; exit 3`, {
      buildkit,
    });
    const error = await image.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'build_failed',
      message: 'The build step "for i in $(seq 50); do echo line $i; done; exit 3" ended with code 3.',
      evidence: expect.arrayContaining([expect.stringMatching(/line 50$/)]),
    });
    expect((error as { evidence: string[] }).evidence).toHaveLength(20);
  });

  it('tells what is wrong with the Dockerfile', async () => {
    await expect(build(`FROM ${fixtures.busybox}\nNOPE`, { buildkit }).image).rejects.toMatchObject({
      code: 'build_failed',
      message: expect.stringContaining('unknown instruction: NOPE'),
    });
    await expect(build(`FROM ${fixtures.busybox}\nCOPY nope /`, { buildkit }).image).rejects.toMatchObject({
      code: 'build_failed',
      message: expect.stringContaining('nope'),
    });
  });

  it('tells a base image that is not there from a registry that is not there', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    await expect(build(`FROM ${nobody}/base:1`, { buildkit }).image).rejects.toMatchObject({
      code: 'registry_unreachable',
    });
  });

  it('stops the build itself when it is aborted, and leaves no connection open', async () => {
    const seconds = `86400.${process.pid}${Number(buildkit)}`;
    const abort = new AbortController();
    const before = openConnections();
    const { image } = build(`FROM ${fixtures.busybox}\nRUN sleep ${seconds}`, { buildkit, signal: abort.signal });
    const outcome = image.catch((thrown: unknown) => thrown);
    await until(() => runs(seconds), 'the build step runs');
    const reason = new Error('cancelled by the test');
    abort.abort(reason);
    expect(await outcome).toBe(reason);
    await until(async () => !(await runs(seconds)), 'the build step is gone');
    await until(async () => openConnections() <= before, 'the connections are closed');
  });

  it('does not begin when it is aborted already', async () => {
    const { image, lines } = build('FROM scratch', { buildkit, signal: AbortSignal.abort(new Error('too late')) });
    await expect(image).rejects.toThrow('too late');
    expect(lines).toEqual([]);
  });
});

describe('resolve', () => {
  it('takes an image as it is that was made here, by tag and by id', async () => {
    const images = new DockerImages(fixtures.client);
    const lines: string[] = [];
    const view = await images.resolve(fixtures.busybox, (line) => lines.push(line), never);
    expect(view.reference).toBe(view.id);
    expect(lines).toEqual([expect.stringContaining('no registry knows it')]);
    expect(await images.resolve(view.id, () => undefined, never)).toEqual(view);
    expect(await images.inspect(fixtures.busybox)).toEqual(view);
  });

  it('says what is missing', async () => {
    const images = new DockerImages(fixtures.client);
    const nobody = `127.0.0.1:${await freePort()}/app:1`;
    await expect(images.resolve(nobody, () => undefined, never)).rejects.toMatchObject({
      code: 'registry_unreachable',
    });
    await expect(images.resolve(`sha256:${'0'.repeat(64)}`, () => undefined, never)).rejects.toMatchObject({
      code: 'image_not_found',
    });
    expect(await images.inspect(`${fixtures.prefix}/nothing`)).toBeUndefined();
    await expect(
      images.resolve('nope.invalid/app:1', () => undefined, AbortSignal.abort(new Error('stop'))),
    ).rejects.toThrow('stop');
  });
});

describe('with a registry', () => {
  const location = (password = REGISTRY_USER.password) => ({
    host: registry.host,
    prefix: 'team',
    ...REGISTRY_USER,
    password,
    default_push: true,
  });
  const images = (password?: string) =>
    new DockerImages(fixtures.client, { registries: async () => [location(password)] });

  it('pushes, pins to the digest, and pulls by digest and by tag', async () => {
    const lines: string[] = [];
    const output = (line: string) => lines.push(line);
    const local = await build(`FROM ${fixtures.busybox}\nRUN echo pushed > /it`, { name: 'pushed' }).image;
    const pushed = (await images().push(local, 'web', 'dep-1', output, never))!;
    expect(pushed.reference).toMatch(new RegExp(`^${registry.host}/team/web@sha256:[0-9a-f]{64}$`));
    expect(pushed).toEqual({ ...local, reference: pushed.reference, digest: pushed.reference.split('@')[1] });
    expect(lines.length).toBeGreaterThan(0);

    const docker = fixtures.docker;
    const forget = () => docker.getImage(local.id).remove({ force: true });
    await forget();
    expect(await images().resolve(pushed.reference, output, never)).toEqual(pushed);
    await forget();
    expect(await images().resolve(`${registry.host}/team/web:dep-1`, output, never)).toEqual(pushed);
    // Present by digest: nobody is asked.
    expect(await new DockerImages(fixtures.client).resolve(pushed.reference, output, never)).toEqual(pushed);
    await expect(images().resolve(`${registry.host}/team/web:other`, output, never)).rejects.toMatchObject({
      code: 'image_not_found',
    });
  });

  it('uses the copy on this node, and says so, when the registry is away', async () => {
    const away = await startTestRegistry();
    const there = new DockerImages(fixtures.client, { registries: async () => [{ ...location(), host: away.host }] });
    const local = await there.resolve(fixtures.busybox, () => undefined, never);
    const pushed = (await there.push(local, 'copy', '1', () => undefined, never))!;
    await away.stop();

    const lines: string[] = [];
    expect(await there.resolve(`${away.host}/team/copy:1`, (line) => lines.push(line), never)).toEqual(pushed);
    expect(lines).toContainEqual(expect.stringMatching(/^Warning: the copy of .* is used/));
    await expect(there.push(local, 'copy', '2', () => undefined, never)).rejects.toMatchObject({
      code: 'registry_unreachable',
    });
  });

  it.each([
    ['BuildKit', true],
    ["the Engine's own builder", false],
  ])('builds on a private base image with %s, and without its login does not', async (_, buildkit) => {
    const local = await build(`FROM ${fixtures.busybox}\nRUN echo ${buildkit} > /base`, { name: 'base' }).image;
    const pushed = (await images().push(local, 'base', String(buildkit), () => undefined, never))!;
    await fixtures.docker.getImage(local.id).remove({ force: true });
    const registries = async () => [location()];
    const dockerfile = `FROM ${pushed.reference}\nRUN test -s /base`;
    await expect(build(dockerfile, { buildkit, name: 'on-base' }).image).rejects.toMatchObject({
      code: expect.stringMatching('^(registry_denied|image_not_found)$'),
    });
    await build(dockerfile, { buildkit, name: 'on-base', registries }).image;
  });

  it('says that the login is wrong', async () => {
    const local = await images().resolve(fixtures.busybox, () => undefined, never);
    await expect(images('wrong').push(local, 'web', 'x', () => undefined, never)).rejects.toMatchObject({
      code: 'registry_denied',
    });
    await expect(images('wrong').resolve(`${registry.host}/team/none:1`, () => undefined, never)).rejects.toMatchObject(
      { code: 'registry_denied' },
    );
  });

  it('pushes nothing where none is configured', async () => {
    const here = new DockerImages(fixtures.client);
    const local = await here.resolve(fixtures.busybox, () => undefined, never);
    expect(await here.push(local, 'web', 'dep-1', () => undefined, never)).toBeUndefined();
  });
});

describe('remove', () => {
  it('takes our tag away, twice without an error, and nobody else’s', async () => {
    const { images, image } = build(`FROM ${fixtures.busybox}\nRUN echo to be removed > /it`, { name: 'removed' });
    await image;
    const tag = `${fixtures.prefix}/removed:dep-1`;
    await images.remove(tag);
    expect(await images.inspect(tag)).toBeUndefined();
    await images.remove(tag);
    await images.remove(fixtures.busybox);
    expect(await images.inspect(fixtures.busybox)).toBeDefined();
  });

  it('leaves an image alone that a container runs', async () => {
    const { images, image } = build(`FROM ${fixtures.busybox}\nRUN echo in use > /it`, { name: 'used' });
    const { id } = await image;
    const container = await fixtures.docker.createContainer({
      Image: id,
      Cmd: ['sleep', '60'],
      Labels: { 'flukedeploy.test': fixtures.prefix },
    });
    try {
      await container.start();
      await images.remove(`${fixtures.prefix}/used:dep-1`);
      expect(await images.inspect(id)).toBeDefined();
    } finally {
      await container.remove({ force: true });
    }
  });
});
