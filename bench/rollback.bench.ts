/** Bad versions of an app under load: how soon they are known as bad, and how soon the old one has all requests again. */
import type { ErrorCode } from '../src/domain/errors.js';
import type { DeploymentView } from '../src/modules/deployments/deployment.view.js';
import { trafficApp, type TrafficAppOptions } from '../test/support/traffic-app.ts';
import { startTestRegistry } from '../test/support/test-registry.ts';
import { TrafficLoad } from '../test/support/traffic-load.ts';
import { RawService, type RawApp } from './baselines/raw-service.ts';
import { comparison, type Benchmark, type Measure } from './support/benchmark.ts';
import { momentOf } from './support/deploy-client.ts';
import { container, EngineEvents, update } from './support/engine-events.ts';
import { removeServices } from './support/leftovers.ts';
import { deployedTrafficApp, rawTrafficApp } from './support/raw-traffic-app.ts';
import { startServerWithEdge } from './support/server-with-edge.ts';

/** Each takes most of a minute. */
const MOST_ROUNDS = 3;
const REPLICAS = 2;
const REQUESTS_PER_SECOND = 40;
const GOOD = 'v1';
const BAD = 'v2';
/** Late enough that the new version has the traffic by then, and within the time that it is watched. */
const FAILS_AFTER_MS = 8_000;
const BAKE_MS = 20_000;

/** Of a version that takes more. */
const MEMORY_LIMIT_MB = 96;

interface Cause {
  /** What FlukeDeploy must call it, where another failure might be measured in its place. */
  readonly code?: ErrorCode;
  readonly options?: Omit<TrafficAppOptions, 'version'>;
  /** What else is asked for the bad version, in place of the app's own. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The same for Swarm. */
  readonly raw?: Partial<RawApp>;
  /** In place of the app's own image: one that a registry says it does not have. */
  readonly isMissing?: boolean;
  /** How long it is watched while it serves. */
  readonly bake_ms?: number;
  /** What happens first, and how long after it the app is bad: the cause counts from there. Absent = from the order on. */
  readonly begins?: { readonly action: string; readonly after_ms: number };
  /** Swarm calls the update completed before the app fails: a person must see it and roll back by hand. */
  readonly byHand?: boolean;
}

const CAUSES: Readonly<Record<string, Cause>> = {
  'crash loop': { options: { crash_after_ms: 0 }, begins: { action: 'die', after_ms: 0 } },
  unhealthy: { options: { health_status: 503 }, begins: { action: 'start', after_ms: 0 } },
  'missing image': { isMissing: true },
  'unhealthy after the switch': {
    options: { unhealthy_after_ms: FAILS_AFTER_MS },
    bake_ms: BAKE_MS,
    begins: { action: 'start', after_ms: FAILS_AFTER_MS },
    byHand: true,
  },
  'out of memory': {
    code: 'out_of_memory',
    options: { memory_hog_mb: 4 * MEMORY_LIMIT_MB },
    fields: { resources: { memory_limit_mb: MEMORY_LIMIT_MB } },
    raw: { memory_mb: MEMORY_LIMIT_MB },
    begins: { action: 'die', after_ms: 0 },
  },
};

/** Milliseconds: from the cause to the verdict, and from there until the old version has everything again. */
interface Course {
  readonly verdict: number;
  readonly serving: number;
}

export const rollback: Benchmark = async (scope, { rounds }) => {
  const { client, docker, prefix, url } = await startServerWithEdge(scope);
  const events = await EngineEvents.listen(scope, docker);
  // It waits until the edge has started, which the measured ones need not.
  await client.succeed({ app_name: `${prefix}-warm`, project: prefix, ...trafficApp({ version: 'v1' }) });
  const registry = await startTestRegistry({ open: true });
  scope.defer(() => registry.stop());
  const missing = `${registry.host}/nobody/nothing:1`;

  const ours = async (
    { code, options, fields: other, isMissing, bake_ms, begins }: Cause,
    app: string,
  ): Promise<Course> => {
    const fields = {
      app_name: app,
      project: prefix,
      replicas: REPLICAS,
      domains: [`${app}.test`],
      strategy: { type: 'blue_green', scale_down_delay_seconds: 30 },
    };
    await client.succeed({ ...fields, ...deployedTrafficApp({ version: GOOD }) });
    const load = await TrafficLoad.start({ url, host: `${app}.test`, requests_per_second: REQUESTS_PER_SECOND });
    scope.defer(() => load.kill());
    await load.until((version) => version === GOOD);

    const bad = { ...deployedTrafficApp({ version: BAD, ...options }, bake_ms), ...other };
    const { view, asked } = await client.run({ ...fields, ...bad, ...(isMissing && { image: missing }) });
    if (code !== undefined && view.error?.code !== code)
      throw new Error(`${code} was to come, not: ${JSON.stringify(view.error)}`);
    if (view.rolled_back_by !== undefined) await client.ended(view.rolled_back_by);
    const { since } = await load.until((version) => version === GOOD);
    const { failed, failures } = await load.stop();
    if (failed > 0) throw new Error(`${failed} requests failed, first ${JSON.stringify(failures[0])}`);

    const cause = begins ? (await events.first(container(app, begins.action), asked)) + begins.after_ms : asked;
    const verdict = verdictOf(view);
    return { verdict: verdict - cause, serving: Math.max(0, since - verdict) };
  };

  const raw = async (
    { options, isMissing, begins, byHand = false, raw: other = {} }: Cause,
    app: string,
  ): Promise<Course> => {
    const service = new RawService(docker, app);
    const good = rawTrafficApp(app, REPLICAS, { version: GOOD });
    await service.apply(good);
    await service.runs(good.image, REPLICAS);

    const asked = await service.apply({
      ...rawTrafficApp(app, REPLICAS, { version: BAD, ...options }),
      ...other,
      ...(isMissing && { image: missing }),
    });
    if (byHand) {
      const completed = await events.first(update(app, 'completed'), asked);
      const sick = await events.first(container(app, 'health_status: unhealthy'), completed);
      const rolledBack = await service.rollBack();
      const serving = await events.first(update(app, 'rollback_completed'), rolledBack);
      const began = await events.first(container(app, 'start'), asked);
      return { verdict: sick - began - (begins?.after_ms ?? 0), serving: serving - sick };
    }
    const verdict = await events.first(update(app, 'rollback_started'), asked);
    const serving = await events.first(update(app, 'rollback_completed'), verdict);
    const cause = begins ? await events.first(container(app, begins.action), asked) : asked;
    return { verdict: verdict - cause, serving: serving - verdict };
  };

  const measures: Measure[] = [];
  for (const [index, [what, cause]] of Object.entries(CAUSES).entries()) {
    const courses = { ours: [] as Course[], raw: [] as Course[] };
    for (let round = 0; round < Math.min(rounds, MOST_ROUNDS); round++) {
      courses.ours.push(await ours(cause, `${prefix}-a${index}n${round}`));
      courses.raw.push(await raw(cause, `${prefix}-b${index}n${round}`));
      for (const side of ['a', 'b']) await removeServices(docker, `${prefix}-${side}${index}`);
    }
    const measure = (name: string, take: (course: Course) => number): Measure => ({
      what: `${what}: ${name}`,
      unit: 'ms',
      ours: courses.ours.map(take),
      raw: courses.raw.map(take),
    });
    measures.push(
      measure('from the cause to the verdict', ({ verdict }) => verdict),
      measure('from the verdict until the old version has all requests', ({ serving }) => serving),
    );
  }
  return [comparison('Bad versions', 'Swarm’s rollback', measures)];
};

/** The moment at which a phase was called failed. */
function verdictOf({ status, phases, failed_phase }: DeploymentView): number {
  const { started_at, duration_ms } = (failed_phase && phases[failed_phase]) ?? {};
  if (started_at === undefined || duration_ms === undefined) throw new Error(`nothing failed: it ended as ${status}`);
  return momentOf(started_at) + duration_ms;
}
