/** What the replicas of a service are made of: services whose content is the same are interchangeable. */
import type { DesiredService, Secrets, ServiceView } from '../../../domain/ports.js';
import { canonical } from '../../../domain/rollout-plan.js';
import type { Traffic } from '../../../domain/traffic.js';

export type ServiceParts = Pick<
  DesiredService,
  'image' | 'env' | 'secrets' | 'command' | 'ports' | 'volumes' | 'resources' | 'exposed' | 'project'
>;

/** Equal for equal parts, in whichever order their keys come out of a request or a store. */
export function serviceContent(secrets: Secrets, parts: ServiceParts): string {
  return secrets.fingerprint(canonical(parts)).slice(0, 32);
}

/** The service that runs just this: one that is in the traffic first. */
export function serviceAlike(
  services: readonly ServiceView[],
  wanted: string,
  traffic: Traffic | undefined,
): ServiceView | undefined {
  const alike = services.filter(({ content }) => content === wanted);
  const live = traffic?.stable ?? [];
  return alike.find(({ name }) => live.some(({ service }) => service === name)) ?? alike[0];
}
