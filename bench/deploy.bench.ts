/** Whole deployments of a small app, from the archive to the client's `success`, against dockerode doing the bare steps. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Docker from 'dockerode';
import { WebSocket } from 'ws';
import type { DeploymentView } from '../src/modules/deployments/deployment.view.js';
import { file, tar } from '../test/support/tar.ts';
import { until } from '../test/support/until.ts';
import { deployRaw } from './baselines/docker-deploy.ts';
import { comparison, now, type Benchmark, type Measure } from './support/benchmark.ts';
import { PHASES } from './support/built.ts';
import { FLUKEDEPLOY, logIn, startServer, type Server } from './support/server.ts';
import { temporaryFolder } from './support/stores.ts';
import { SwarmEvents } from './support/swarm-events.ts';

const DOCKERFILE = `FROM busybox:1
COPY index.html /www/index.html
EXPOSE 80
HEALTHCHECK --interval=1s --timeout=1s CMD wget -q -O /dev/null http://127.0.0.1/
CMD ["httpd", "-f", "-p", "80", "-h", "/www"]
`;

/** Moments of one deployment, all in `now()`. */
interface Course {
  readonly began: number;
  readonly healthy: number;
  /** Swarm's own end of an update; a service that is new has none. */
  readonly updated?: number;
  readonly ended: number;
  readonly phases: readonly number[];
}

export const deploy: Benchmark = async (scope, { rounds }) => {
  const prefix = `fdbench-${randomBytes(4).toString('hex')}`;
  const docker = new Docker();
  scope.defer(() => clean(docker, prefix));
  const folder = await temporaryFolder(scope);
  const server = await startServer(scope, FLUKEDEPLOY, { DATA_DIR: join(folder, 'data') });
  const token = await logIn(server);
  const events = await SwarmEvents.listen(scope, docker);

  const ours = (app: string, content: string, event: 'healthy' | 'updated'): Promise<Course> =>
    deployOurs({ server, token, events, app, project: prefix, context: context(content), event });
  const raw = async (app: string, content: string, event: 'healthy' | 'updated'): Promise<Course> => {
    const healthy = events.next(app, 'healthy');
    const updated = event === 'updated' ? events.next(app, 'updated') : undefined;
    const began = now();
    await deployRaw(docker, {
      desired: desired(app, prefix, content),
      network: `flukedeploy-${prefix}`,
      context: context(content),
      tag: `${app}:${content}`,
    });
    const ended = now();
    return { began, healthy: await healthy, ...(updated && { updated: await updated }), ended, phases: [] };
  };

  // Makes the project's network and warms both ways up.
  await ours(`${prefix}-warm-a`, 'warm', 'healthy');
  await raw(`${prefix}-warm-b`, 'warm-raw', 'healthy');

  const first = { ours: [] as Course[], raw: [] as Course[] };
  const again = { ours: [] as Course[], raw: [] as Course[] };
  for (let round = 0; round < rounds; round++) {
    const [a, b] = [`${prefix}-a${round}`, `${prefix}-b${round}`];
    first.ours.push(await ours(a, `a${round}-1`, 'healthy'));
    first.raw.push(await raw(b, `b${round}-1`, 'healthy'));
    again.ours.push(await ours(a, `a${round}-2`, 'updated'));
    again.raw.push(await raw(b, `b${round}-2`, 'updated'));
    // Their health checks would disturb the next round.
    for (const app of [a, b]) await docker.getService(app).remove();
  }

  const whole = ({ began, ended }: Course): number => ended - began;
  const phaseTimes = (courses: Course[]): Measure[] =>
    PHASES.map((phase, index) => ({
      what: `of it, ${phase}`,
      unit: 'ms',
      ours: courses.map((course) => course.phases[index] ?? NaN),
    }));
  return [
    comparison('First deployment', 'dockerode', [
      {
        what: 'until success; dockerode: until the task runs',
        unit: 'ms',
        ours: first.ours.map(whole),
        raw: first.raw.map(whole),
      },
      {
        what: 'from the healthy container to the end',
        unit: 'ms',
        ours: first.ours.map(({ ended, healthy }) => ended - healthy),
        raw: first.raw.map(({ ended, healthy }) => ended - healthy),
      },
      ...phaseTimes(first.ours),
    ]),
    comparison('Next version', 'dockerode', [
      {
        what: 'until success; dockerode: until the task runs',
        unit: 'ms',
        ours: again.ours.map(whole),
        raw: again.raw.map(whole),
      },
      {
        what: 'until success; dockerode: until Swarm has watched it',
        unit: 'ms',
        ours: again.ours.map(whole),
        raw: again.raw.map(({ updated = NaN, began }) => updated - began),
      },
      {
        what: "from Swarm's own end to success",
        unit: 'ms',
        ours: again.ours.map(({ ended, updated = NaN }) => ended - updated),
      },
      ...phaseTimes(again.ours),
    ]),
  ];
};

interface OurDeploy {
  readonly server: Server;
  readonly token: string;
  readonly events: SwarmEvents;
  readonly app: string;
  readonly project: string;
  readonly context: Uint8Array;
  readonly event: 'healthy' | 'updated';
}

/** As a client would: one POST, and the log stream until it tells the end. */
async function deployOurs({ server, token, events, app, project, context, event }: OurDeploy): Promise<Course> {
  const socket = new WebSocket(`${server.streamUrl}?app_name=${app}`);
  const frames = { subscribed: Promise.withResolvers<unknown>(), end: Promise.withResolvers<{ status?: string }>() };
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as { type?: string; status?: string };
    if (frame.type === 'subscribed') frames.subscribed.resolve(frame);
    if (frame.type === 'end') frames.end.resolve(frame);
  });
  await frames.subscribed.promise;

  const healthy = events.next(app, 'healthy');
  const updated = event === 'updated' ? events.next(app, 'updated') : undefined;
  const headers = { authorization: `Bearer ${token}` };
  const body = new FormData();
  body.set('spec', JSON.stringify({ app_name: app, project }));
  body.set('source', new Blob([context]), 'source.tar');
  const began = now();
  const asked = await fetch(`${server.url}/api/v1/deploy`, { method: 'POST', headers, body });
  if (asked.status !== 202) throw new Error(`the deployment was refused: ${await asked.text()}`);
  const { deployment_id } = (await asked.json()) as DeploymentView;
  const { status } = await frames.end.promise;
  const ended = now();
  socket.close();
  if (status !== 'success') throw new Error(`the deployment of ${app} ended as ${status}`);
  const view = (await (
    await fetch(`${server.url}/api/v1/deployments/${deployment_id}`, { headers })
  ).json()) as DeploymentView;
  return {
    began,
    healthy: await healthy,
    ...(updated && { updated: await updated }),
    ended,
    phases: PHASES.map((phase) => view.phases[phase].duration_ms ?? NaN),
  };
}

function context(content: string): Uint8Array {
  return tar(file('Dockerfile', DOCKERFILE), file('index.html', content));
}

/** What FlukeDeploy makes of an app that asks for nothing. */
function desired(name: string, project: string, id: string): Parameters<typeof deployRaw>[1]['desired'] {
  return {
    name,
    app_name: name,
    environment: 'production',
    project,
    deployment_id: id,
    release: 1,
    replicas: 1,
    env: {},
    command: [],
    ports: [],
    volumes: [],
    resources: {},
    secrets: {},
    exposed: false,
    content: id,
  };
}

/** Services first, then what their containers still hold. */
async function clean(docker: Docker, prefix: string): Promise<void> {
  for (const { ID, Spec } of await docker.listServices()) {
    if (Spec?.Name?.startsWith(prefix)) await docker.getService(ID).remove();
  }
  const holds = async (): Promise<boolean> =>
    (await docker.listContainers({ all: true })).some(({ Labels }) =>
      (Labels['com.docker.swarm.service.name'] ?? '').startsWith(prefix),
    );
  await until(async () => !(await holds()), `the containers of ${prefix} are gone`, 60_000);
  for (const { Id, Labels } of await docker.listImages({ filters: { label: ['flukedeploy.app'] } })) {
    if (Labels['flukedeploy.app']?.startsWith(prefix)) await docker.getImage(Id).remove({ force: true });
  }
  // Swarm lets go of it a moment after the last container.
  const network = docker.getNetwork(`flukedeploy-${prefix}`);
  await until(() => network.remove().then(() => true, isGone), `the network of ${prefix} is gone`);
}

function isGone(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}
