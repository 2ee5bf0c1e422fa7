/** The way back of a deployment that is lost: the version before whole again, the requests to it, and the new one away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isExclusive, serviceName } from '../../../domain/app-spec.js';
import { isServing } from '../../../domain/convergence.js';
import type { DeploymentSession } from '../deployment-session.js';
import { retire } from './retirement-plan.js';
import type { RolloutPorts } from './rollout-ports.js';

const POLL_MS = 200;
/** Then the requests go back to as many replicas as there are. */
const WHOLE_MS = 20_000;

/**
 * Leaves everything as it was before the deployment. Its own signal has aborted by now, so nothing here listens to it.
 * @returns `kept` where the new version shall serve on, because there is none before it
 */
export async function takeBack(session: DeploymentSession, ports: RolloutPorts): Promise<'undone' | 'kept'> {
  const { state, record, config } = session;
  const { identity, base, traffic, has_served } = state;
  const name = state.rollout?.service ?? serviceName(identity);
  const before = base?.traffic?.stable ?? [];
  if (before.length === 0 && has_served && record.spec.on_first_failure === 'keep' && !session.isCancelled) {
    session.log('warn', `${name} stays: there is no version before it, and on_first_failure is keep`);
    return 'kept';
  }
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
    await session.append({
      type: 'traffic_shifted',
      traffic: plain,
      retiring: [...(base?.retiring ?? []), ...(isOwn && lingers ? [retire(name, true, 0, Date.now())] : [])],
      serving: false,
      summary,
      ...session.place(),
    });
    await ports.router.sync();
  }
  if (isOwn && !lingers && (await ports.cluster.remove(name))) session.log('warn', `${name} was removed`);
  return 'undone';
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
