/** What tests against the real Docker Engine start from: a small image made on the spot, and a clean end. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { file, tar } from './tar.js';
import { until as found } from './until.js';

export interface DockerFixtures {
  readonly client: DockerClient;
  readonly docker: Docker;
  /** Unique for this run; every name that a test makes begins with it. */
  readonly prefix: string;
  /** `FROM scratch` with busybox and its programs; the tests' own images are built on it. */
  readonly busybox: string;
  /** Builds an image from a Dockerfile that begins `FROM ${busybox}`; answers its tag. */
  build(name: string, dockerfile: string): Promise<string>;
  /** Removes every service, secret, network, volume and image of this run. */
  clean(): Promise<void>;
}

const DOCKER_TIMEOUT_MS = 30_000;
const TEST_LABEL = 'flukedeploy.test';

export async function startDockerFixtures(): Promise<DockerFixtures> {
  const prefix = `fdt${randomBytes(4).toString('hex')}`;
  const client = new DockerClient();
  const docker = await client.streams();
  const program = await readFile('/bin/busybox');

  const build = async (name: string, dockerfile: string): Promise<string> => {
    const tag = `${prefix}/${name}:1`;
    const context = tar(file('Dockerfile', dockerfile), file('busybox', program, 0o755));
    const stream = await docker.buildImage(Readable.from([context]), {
      t: tag,
      labels: { [TEST_LABEL]: prefix },
      forcerm: true,
    });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        stream,
        (error: Error | null) => (error ? reject(error) : resolve()),
        (event: { error?: string }) => event.error && reject(new Error(event.error)),
      );
    });
    return tag;
  };
  const busybox = await build(
    'busybox',
    'FROM scratch\nCOPY busybox /bin/busybox\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nCMD ["httpd", "-f", "-p", "80"]\n',
  );
  return { client, docker, prefix, busybox, build, clean: () => clean(docker, prefix) };
}

async function clean(docker: Docker, prefix: string): Promise<void> {
  for (const service of await docker.listServices()) {
    if (service.Spec?.Name?.startsWith(prefix)) await docker.getService(service.ID).remove();
  }
  await removed(async () => (await containers(docker, prefix)).length === 0);
  for (const { ID, Spec } of await docker.listSecrets()) {
    if (Spec?.Labels?.['flukedeploy.service']?.startsWith(prefix)) await docker.getSecret(ID).remove();
  }
  for (const { Id, Name } of await docker.listNetworks()) {
    if (Name.startsWith(`flukedeploy-${prefix}`)) await removed(() => goneAfter(docker.getNetwork(Id).remove()));
  }
  for (const { Name } of (await docker.listVolumes()).Volumes) {
    if (Name.startsWith(prefix)) await docker.getVolume(Name).remove();
  }
  // Children go before their parents, whatever the order of the list.
  await removed(async () => {
    const images = await docker.listImages({ filters: { label: [`${TEST_LABEL}=${prefix}`] } });
    for (const { Id } of images) await goneAfter(docker.getImage(Id).remove({ force: true }));
    return images.length === 0;
  });
}

async function containers(docker: Docker, prefix: string): Promise<Docker.ContainerInfo[]> {
  const all = await docker.listContainers({ all: true });
  return all.filter(({ Labels }) => Labels['com.docker.swarm.service.name']?.startsWith(prefix));
}

async function goneAfter(removal: Promise<unknown>): Promise<boolean> {
  try {
    await removal;
    return true;
  } catch (error) {
    return error instanceof Error && 'statusCode' in error && error.statusCode === 404;
  }
}

/** Waits for what Docker does in its own time. */
export function until<Found>(look: () => Promise<Found | undefined | false>, what: string): Promise<Found> {
  return found(look, what, DOCKER_TIMEOUT_MS);
}

async function removed(look: () => Promise<boolean>): Promise<void> {
  await until(look, 'Docker removes what the test made');
}
