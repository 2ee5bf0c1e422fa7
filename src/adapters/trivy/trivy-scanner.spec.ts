import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startDockerFixtures, until, type DockerFixtures } from '../../../test/support/docker-fixtures.js';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import { FOREVER, installStandIn, SBOM, standIn } from '../../../test/support/trivy.js';
import { freePort } from '../../../test/support/test-registry.js';
import { DockerImages } from '../docker/docker-images.js';
import { TrivyContainer } from './trivy-container.js';
import { TrivyProgram } from './trivy-program.js';
import type { TrivyRunner } from './trivy-runner.js';
import { TrivyScanner } from './trivy-scanner.js';

jest.setTimeout(60_000);

const never = new AbortController().signal;
const WITH_SBOM = { sbom: true };
const WITHOUT = { sbom: false };
const DOCKER_HOST = 'unix:///var/run/docker.sock';

/** Whether the stand-in hangs anywhere on the machine, in containers too. */
async function hangs(): Promise<boolean> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0').includes(FOREVER)) return true;
  }
  return false;
}

async function stopsWhenAborted(scanner: TrivyScanner): Promise<void> {
  const abort = new AbortController();
  const outcome = scanner.scan('hanging', WITHOUT, abort.signal).catch((error: unknown) => error);
  await until(hangs, 'the scan runs');
  const reason = new Error('cancelled by the test');
  abort.abort(reason);
  expect(await outcome).toBe(reason);
  await until(async () => !(await hangs()), 'the scan is gone');
}

describe('Trivy as a program', () => {
  const folder = temporaryFolder();
  let cacheFolder: string;
  let program: string;
  let scanner: TrivyScanner;
  beforeEach(async () => {
    cacheFolder = join(folder.path, 'cache');
    program = await installStandIn(join(folder.path, 'bin'), cacheFolder);
    scanner = new TrivyScanner([trivy()]);
  });
  const trivy = () => new TrivyProgram({ program, cacheFolder, dockerHost: DOCKER_HOST });

  it('says its version', async () => {
    expect(await scanner.available(never)).toBe('trivy 0.74.0');
  });

  it('finds vulnerabilities, and lists what the image is made of', async () => {
    const { sbom, vulnerabilities, ...rest } = await scanner.scan('vulnerable', WITH_SBOM, never);
    expect(rest).toEqual({ scanner: 'trivy 0.74.0' });
    expect(vulnerabilities.map(({ id, severity }) => `${id} ${severity}`)).toEqual([
      'CVE-2019-1549 medium',
      'CVE-2019-1551 medium',
      'CVE-2019-18276 low',
      'CVE-2020-8165 critical',
      'GHSA-2p68-f74v-9wc6 unknown',
    ]);
    expect(sbom).toEqual({ format: 'cyclonedx', document: JSON.stringify(SBOM) });
    expect((await stat(cacheFolder)).mode & 0o777).toBe(0o700);
  });

  it('finds nothing in what is clean, and makes no SBOM unasked', async () => {
    for (const reference of ['clean', 'empty']) {
      expect(await scanner.scan(reference, WITHOUT, never)).toEqual({ scanner: 'trivy 0.74.0', vulnerabilities: [] });
    }
  });

  it.each([
    [
      'is not there',
      'nothing',
      {
        message: 'trivy 0.74.0 could not scan the image.',
        evidence: [expect.stringContaining('unable to inspect the image (nothing)')],
      },
    ],
    ['makes it print half a report', 'broken', { message: expect.stringContaining('not the JSON') }],
    ['makes it print a report of another schema', 'newer', { message: expect.stringContaining('not the JSON') }],
    ['makes it print without end', 'noisy', { message: expect.stringContaining('more than is read') }],
  ])('fails where the image %s', async (_, reference, expected) => {
    await expect(scanner.scan(reference, WITHOUT, never)).rejects.toMatchObject({ code: 'scan_failed', ...expected });
  });

  it('leaves out an SBOM that is too large', async () => {
    expect(await scanner.scan('large', WITH_SBOM, never)).toEqual({ scanner: 'trivy 0.74.0', vulnerabilities: [] });
  });

  it('takes a reference for nothing else, whatever it looks like', async () => {
    await expect(scanner.scan('--version', WITHOUT, never)).rejects.toMatchObject({ code: 'scan_failed' });
  });

  it('is stopped with all that it has started, and the next one has its turn', async () => {
    const next = scanner.available(never);
    await stopsWhenAborted(scanner);
    await next;
    expect((await scanner.scan('clean', WITHOUT, never)).vulnerabilities).toEqual([]);
  });

  it('runs once at a time', async () => {
    const abort = new AbortController();
    const first = scanner.scan('hanging', WITHOUT, abort.signal).catch(() => 'stopped');
    await until(hangs, 'the scan runs');
    let isDone = false;
    const second = scanner.scan('clean', WITHOUT, never).then(() => (isDone = true));
    await scanner.available(never);
    expect(isDone).toBe(false);
    abort.abort();
    expect(await first).toBe('stopped');
    expect(await second).toBe(true);
  });

  it('is ended when it takes too long, and what has waited for it has its whole time then', async () => {
    const real = trivy();
    let begun = 0;
    const counted: TrivyRunner = {
      cacheFolder,
      available: async () => 'trivy',
      run: (command, signal) => {
        begun += 1;
        return real.run(command, signal);
      },
    };
    const limited = new TrivyScanner([counted], { wait: 60, scan: 0.5 });
    const scans = [1, 2].map(() => limited.scan('hanging', WITHOUT, never));
    const late = { code: 'scan_failed', message: 'The scan took longer than the 0.5 s that it may.' };
    expect(await Promise.allSettled(scans)).toMatchObject([{ reason: late }, { reason: late }]);
    expect(begun).toBe(2);
    await until(async () => !(await hangs()), 'both are gone');
  });

  it('is given up where those before it take too long, and the next one has its turn', async () => {
    const limited = new TrivyScanner([trivy()], { wait: 0.5, scan: 60 });
    const abort = new AbortController();
    const first = limited.scan('hanging', WITHOUT, abort.signal).catch(() => 'stopped');
    await until(hangs, 'the scan runs');
    await expect(limited.scan('clean', WITHOUT, never)).rejects.toMatchObject({
      code: 'scan_failed',
      message: 'The scans before it took longer than the 0.5 s that it may wait for them.',
    });
    abort.abort();
    expect(await first).toBe('stopped');
    expect((await limited.scan('clean', WITHOUT, never)).vulnerabilities).toEqual([]);
  });

  it('does not wait on for its turn when the caller gives up', async () => {
    const running = new AbortController();
    const first = scanner.scan('hanging', WITHOUT, running.signal).catch(() => 'stopped');
    await until(hangs, 'the scan runs');
    const waiting = new AbortController();
    const second = scanner.scan('clean', WITHOUT, waiting.signal);
    waiting.abort(new Error('cancelled by the test'));
    await expect(second).rejects.toThrow('cancelled by the test');
    running.abort();
    expect(await first).toBe('stopped');
  });

  it('sees nothing of our own environment', async () => {
    const { FLUKEDEPLOY_SECRET_KEY } = process.env;
    process.env['FLUKEDEPLOY_SECRET_KEY'] = 'not for others';
    try {
      expect((await scanner.scan('clean', WITHOUT, never)).vulnerabilities).toEqual([]);
    } finally {
      if (FLUKEDEPLOY_SECRET_KEY === undefined) delete process.env['FLUKEDEPLOY_SECRET_KEY'];
      else process.env['FLUKEDEPLOY_SECRET_KEY'] = FLUKEDEPLOY_SECRET_KEY;
    }
  });

  it.each([
    ['is not installed', undefined, 0],
    ['may not be run', '#!/bin/sh\necho Version: 1', 0o644],
    ['is another one', '#!/bin/sh\necho BusyBox', 0o755],
    ['does not start', '#!/bin/sh\nexit 3', 0o755],
  ])('is not available where it %s', async (_, content, mode) => {
    const other = join(folder.path, 'other');
    if (content !== undefined) {
      await writeFile(other, content);
      await chmod(other, mode);
    }
    const missing = new TrivyScanner([new TrivyProgram({ program: other, cacheFolder, dockerHost: DOCKER_HOST })]);
    expect(await missing.available(never)).toBeUndefined();
    await expect(missing.scan('clean', WITHOUT, never)).rejects.toMatchObject({ code: 'scanner_missing' });
  });
});

describe('Trivy in a container', () => {
  let fixtures: DockerFixtures;
  let image: string;
  let scanner: TrivyScanner;
  beforeAll(async () => {
    fixtures = await startDockerFixtures();
    const files = standIn('/srv', '/cache');
    const copy = (name: string) =>
      `RUN echo ${Buffer.from(files[name] ?? '').toString('base64')} | base64 -d > /srv/${name}`;
    const names = ['trivy', 'sbom.json', 'vulnerable.json'];
    const lines = ['RUN mkdir -p /srv', ...names.map(copy), 'RUN chmod +x /srv/trivy && ln -s /srv/trivy /bin/trivy'];
    image = await fixtures.build('trivy', [`FROM ${fixtures.busybox}`, ...lines, 'ENTRYPOINT ["false"]'].join('\n'));
    scanner = new TrivyScanner([container(image)]);
  });
  afterAll(() => fixtures.clean());

  function container(reference: string): TrivyContainer {
    const volume = `${fixtures.prefix}-trivy`;
    return new TrivyContainer(fixtures.client, new DockerImages(fixtures.client), { image: reference, volume });
  }

  /** The Engine takes it away in its own time. */
  const noContainerIsLeft = () =>
    until(
      async () => (await fixtures.docker.listContainers({ all: true, filters: { ancestor: [image] } })).length === 0,
      'no container is left',
    );

  it('does the same, with the socket of the Engine, and leaves no container', async () => {
    const { scanner: name, sbom, vulnerabilities } = await scanner.scan('vulnerable', WITH_SBOM, never);
    expect(name).toBe(image);
    expect(vulnerabilities).toHaveLength(5);
    expect(sbom).toEqual({ format: 'cyclonedx', document: JSON.stringify(SBOM) });
    await noContainerIsLeft();
  });

  it('tells why it has failed', async () => {
    await expect(scanner.scan('nothing', WITHOUT, never)).rejects.toMatchObject({
      code: 'scan_failed',
      evidence: [expect.stringContaining('unable to inspect the image (nothing)')],
    });
    await noContainerIsLeft();
  });

  it('is stopped when the caller gives up, and when it prints without end', async () => {
    await stopsWhenAborted(scanner);
    await expect(scanner.scan('noisy', WITHOUT, never)).rejects.toMatchObject({
      message: expect.stringContaining('more than is read'),
    });
    await noContainerIsLeft();
  });

  it('is not available where its image can neither be found nor pulled', async () => {
    const nobody = container(`127.0.0.1:${await freePort()}/trivy:1`);
    expect(await new TrivyScanner([nobody]).available(never)).toBeUndefined();
    expect(await new TrivyScanner([nobody, container(image)]).available(never)).toBe(image);
  });
});
