/** Whole deployments of a small app, from the archive to the client's `success`, against dockerode doing the bare steps. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Docker from 'dockerode';
import { WebSocket } from 'ws';
import type { DeploymentView } from '../src/modules/deployments/deployment.view.js';
import { file, tar } from '../test/support/tar.ts';
import { deployRaw } from './baselines/docker-deploy.ts';
import { comparison, now, type Benchmark, type Measure } from './support/benchmark.ts';
import { PHASES } from './support/built.ts';
import { container, EngineEvents, update } from './support/engine-events.ts';
import { removeLeftovers, removeServices } from './support/leftovers.ts';
import { FLUKEDEPLOY, logIn, startServer, type Server } from './support/server.ts';
import { temporaryFolder } from './support/stores.ts';

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
  /** Swarm's own end of an update; FlukeDeploy makes a service of each version, and updates none. */
  readonly updated?: number;
  readonly ended: number;
  readonly phases: readonly number[];
}

export const deploy: Benchmark = async (scope, { rounds }) => {
  const prefix = `fdbench-${randomBytes(4).toString('hex')}`;
  const docker = new Docker();
  scope.defer(() => removeLeftovers(docker, prefix));
  const folder = await temporaryFolder(scope);
  const server = await startServer(scope, FLUKEDEPLOY, { DATA_DIR: join(folder, 'data'), HTTP_PORT: '0' });
  const token = await logIn(server);
  const events = await EngineEvents.listen(scope, docker);

  const ours = (app: string, content: string): Promise<Course> =>
    deployOurs({ server, token, events, app, project: prefix, context: context(content) });
  const raw = async (app: string, content: string): Promise<Course> => {
    const began = now();
    const order = { name: app, network: `flukedeploy-${prefix}`, context: context(content), tag: `${app}:${content}` };
    await deployRaw(docker, order);
    const ended = now();
    const healthy = await events.first(container(app, 'health_status: healthy'), began);
    return { began, healthy, ended, phases: [] };
  };
  const rawAgain = async (app: string, content: string): Promise<Course> => {
    const course = await raw(app, content);
    return { ...course, updated: await events.first(update(app, 'completed'), course.began) };
  };

  // Makes the project's network and warms both ways up.
  await ours(`${prefix}-warm-a`, 'warm');
  await raw(`${prefix}-warm-b`, 'warm-raw');

  const first = { ours: [] as Course[], raw: [] as Course[] };
  const again = { ours: [] as Course[], raw: [] as Course[] };
  for (let round = 0; round < rounds; round++) {
    const [a, b] = [`${prefix}-a${round}`, `${prefix}-b${round}`];
    first.ours.push(await ours(a, `a${round}-1`));
    first.raw.push(await raw(b, `b${round}-1`));
    again.ours.push(await ours(a, `a${round}-2`));
    again.raw.push(await rawAgain(b, `b${round}-2`));
    // Their health checks would disturb the next round.
    for (const app of [a, b]) await removeServices(docker, app);
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
      ...phaseTimes(again.ours),
    ]),
  ];
};

interface OurDeploy {
  readonly server: Server;
  readonly token: string;
  readonly events: EngineEvents;
  readonly app: string;
  readonly project: string;
  readonly context: Uint8Array;
}

/** As a client would: one POST, and the log stream until it tells the end. */
async function deployOurs({ server, token, events, app, project, context }: OurDeploy): Promise<Course> {
  const socket = new WebSocket(`${server.streamUrl}?app_name=${app}`);
  const frames = { subscribed: Promise.withResolvers<unknown>(), end: Promise.withResolvers<{ status?: string }>() };
  socket.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as { type?: string; status?: string };
    if (frame.type === 'subscribed') frames.subscribed.resolve(frame);
    if (frame.type === 'end') frames.end.resolve(frame);
  });
  await frames.subscribed.promise;

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
    healthy: await events.first(container(app, 'health_status: healthy'), began),
    ended,
    phases: PHASES.map((phase) => view.phases[phase].duration_ms ?? NaN),
  };
}

function context(content: string): Uint8Array {
  return tar(file('Dockerfile', DOCKERFILE), file('index.html', content));
}
