/** Opens the way to the Docker Engine: where it listens and which API version both sides speak. */
import Docker from 'dockerode';
import { dockerFailure } from './docker-failure.js';

/** The newest Engine API that this code was written for; older engines are spoken to in theirs. */
const NEWEST_API = '1.47';
/** A call that does not stream and has no answer after this time is given up. */
const CALL_TIMEOUT_MS = 30_000;

interface Engine {
  readonly calls: Docker;
  readonly streams: Docker;
}

export class DockerClient {
  /** Whether the Engine runs on this machine, so that its bridge networks are ours too. */
  readonly local: boolean;
  readonly #endpoint: Docker.DockerOptions;
  #engine: Promise<Engine> | undefined;

  /** @param host `DOCKER_HOST`: `unix:///path` or `tcp://host:port`; left out = the default socket */
  constructor(host = 'unix:///var/run/docker.sock') {
    this.#endpoint = endpointOf(host);
    this.local = this.#endpoint.socketPath !== undefined;
  }

  /** For calls that answer at once; each one is given up after 30 s. @throws DeployError `docker_unavailable` */
  async calls(): Promise<Docker> {
    return (await this.engine()).calls;
  }

  /** For builds, pulls and pushes, which may be silent for long: the caller bounds them by a signal. @throws DeployError `docker_unavailable` */
  async streams(): Promise<Docker> {
    return (await this.engine()).streams;
  }

  /** Agreed on once, and tried again when the Engine did not answer. */
  private engine(): Promise<Engine> {
    this.#engine ??= negotiate(this.#endpoint).catch((error: unknown) => {
      this.#engine = undefined;
      throw dockerFailure(error, 'asking for its version');
    });
    return this.#engine;
  }
}

async function negotiate(endpoint: Docker.DockerOptions): Promise<Engine> {
  const { ApiVersion } = await new Docker({ ...endpoint, timeout: CALL_TIMEOUT_MS }).version();
  const version = `v${minor(ApiVersion) < minor(NEWEST_API) ? ApiVersion : NEWEST_API}`;
  return {
    calls: new Docker({ ...endpoint, version, timeout: CALL_TIMEOUT_MS }),
    streams: new Docker({ ...endpoint, version }),
  };
}

/** Engine API versions differ in the number after `1.` only. */
function minor(version: string): number {
  return Number(version.split('.')[1]);
}

/** Every field is given, because docker-modem fills what is missing from the environment. */
function endpointOf(host: string): Docker.DockerOptions {
  if (host.startsWith('unix:///')) return { socketPath: host.slice('unix://'.length), host: '', protocol: 'http' };
  const url = URL.parse(host);
  if (url?.protocol !== 'tcp:' || !url.hostname || !url.port) {
    throw new Error(`DOCKER_HOST must be unix:///path or tcp://host:port, not ${host}`);
  }
  return { host: url.hostname, port: Number(url.port), protocol: url.port === '2376' ? 'https' : 'http' };
}
