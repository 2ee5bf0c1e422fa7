/** The way back of a deployment that is lost: the version before whole again, the requests to it, and the new one away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isExclusive, serviceName } from '../../../domain/app-spec.js';
import { isServing } from '../../../domain/convergence.js';
import { toFailure } from '../../../domain/errors.js';
import { isSame } from '../../../domain/rollout-plan.js';
import type { DeploymentSession } from '../deployment-session.js';
import { Patience } from './patience.js';
import { retire } from './retirement-plan.js';
import type { RolloutPorts } from './rollout-ports.js';

const POLL_MS = 200;
/** Then the requests go back to as many replicas as there are. */
const WHOLE_MS = 20_000;
/** So long an Engine or an edge that is away is waited for. */
const PATIENCE_MS = 40_000;

/**
 * Leaves everything as it was before the deployment. Its own signal has aborted by now, so nothing here listens to it.
 * @param error why; a worker that comes after this one knows by it that there is no way but back
 * @returns `kept` where the new version shall serve on, because there is none before it
 */
export async function takeBack(
  session: DeploymentSession,
  ports: RolloutPorts,
  error: unknown,
): Promise<'undone' | 'kept'> {
  const { state, record } = session;
  const { identity, base, has_served, rollout } = state;
  const name = rollout?.service ?? serviceName(identity);
  const before = base?.traffic?.stable ?? [];
  if (before.length === 0 && has_served && record.spec.on_first_failure === 'keep' && !session.isCancelled) {
    session.log('warn', `${name} stays: there is no version before it, and on_first_failure is keep`);
    return 'kept';
  }
  if (!rollout?.aborted) {
    const failure = toFailure(error);
    const actor = { kind: 'system', name: 'flukedeploy' } as const;
    const at = new Date().toISOString();
    await session.append({ type: 'rollout_aborted', actor, reason: failure.message, error: failure, at });
  }
  await new Patience(session, { longest_ms: PATIENCE_MS }).wait(() => goBack(session, ports, name));
  return 'undone';
}

async function goBack(session: DeploymentSession, ports: RolloutPorts, name: string): Promise<void> {
  const { state, config } = session;
  const { identity, base, traffic, has_served } = state;
  const before = base?.traffic?.stable ?? [];
  const service = await ports.cluster.findService(name);
  const isOwn = service?.managed === true && service.deployment_id === identity.id;
  // A client may still send a request by the edge's routing before: it must find somebody.
  const lingers = ports.edge.enabled && has_served === true && !isExclusive(config);
  // A volume's or port's only holder must be gone before the one before it can have it again.
  if (isOwn && isExclusive(config)) await removeAndWait(name, ports);

  for (const backend of before) await ports.cluster.scale(backend.service, base?.replicas ?? 0);
  if (traffic !== undefined) {
    await whole(
      before.map((backend) => backend.service),
      base?.replicas ?? 0,
      ports,
    );
    // A version that never was leaves no host name behind.
    const back = base?.traffic ?? { ...traffic, hosts: [], stable: [] };
    const { canary: _, preview: __, ...plain } = back;
    const summary =
      before.length > 0
        ? `All requests go back to ${before.map((one) => one.service).join(', ')}`
        : `No requests go to ${name} any more`;
    const lingering = isOwn && lingers ? [retire(name, true, 0, Date.now())] : [];
    const retiring = [...(base?.retiring ?? []), ...lingering];
    // It has gone back already where an outage came, or this worker is another one.
    if (!isSame(traffic, plain)) {
      const place = session.place();
      await session.append({ type: 'traffic_shifted', traffic: plain, retiring, serving: false, summary, ...place });
    }
    await ports.router.sync();
  }
  if (isOwn && !lingers && (await ports.cluster.remove(name))) session.log('warn', `${name} was removed`);
}

async function whole(services: readonly string[], replicas: number, { cluster }: RolloutPorts): Promise<void> {
  const until = performance.now() + WHOLE_MS;
  for (const service of services) {
    while (performance.now() < until && (await cluster.tasks(service)).filter(isServing).length < replicas) {
      await sleep(POLL_MS);
    }
  }
}

async function removeAndWait(name: string, { cluster }: RolloutPorts): Promise<void> {
  const tasks = await cluster.tasks(name);
  await cluster.remove(name);
  const until = performance.now() + WHOLE_MS;
  // Tasks of a removed service vanish from the list; their containers take the grace time at most.
  while (performance.now() < until && tasks.length > 0 && (await cluster.tasks(name)).length > 0) await sleep(POLL_MS);
}
