/** Where the requests for an app go: the state that deployments move and the edge shows. Types only; the rules are in `rollout-plan`. */
import type { CanaryMatch, Stickiness } from './strategy.js';

/** Equal replicas that can answer requests: the tasks of one Swarm service. */
export interface Backend {
  /** Name of the Swarm service, which Docker's DNS resolves to its running tasks. */
  readonly service: string;
  /** The deployment whose version runs there. */
  readonly deployment_id: string;
  readonly release: number;
  /** The container's HTTP port. */
  readonly port: number;
  /** Only these IPv4 addresses, which have passed their health gate; absent = every address that DNS knows. */
  readonly addresses?: readonly string[];
}

export interface Canary {
  readonly backend: Backend;
  /** Percent of the requests, 0 to 100. */
  readonly weight: number;
  readonly stickiness: Stickiness;
  readonly match: readonly CanaryMatch[];
}

/** All that the edge must know of one app in one environment. */
export interface Traffic {
  readonly app_name: string;
  readonly environment: string;
  readonly project: string;
  /** Lower case; each belongs to one app. The first one is the app's own under ROOT_DOMAIN, where that is set. */
  readonly hosts: readonly string[];
  /** Whether plain HTTP is answered by a redirect, once there is a certificate. */
  readonly force_https: boolean;
  /** Requests are spread evenly over all replicas of these; none = 503. */
  readonly stable: readonly Backend[];
  readonly canary?: Canary;
  /** A host name at which a version shows itself before it gets other requests. */
  readonly preview?: { readonly host: string; readonly backend: Backend };
}

/** A service that gets no requests any more and is removed in time. */
export interface Retiring {
  readonly service: string;
  /** ISO 8601 UTC: from then on it may go, as soon as no request is open. */
  readonly not_before: string;
  /** ISO 8601 UTC: then it goes, whatever is still open. */
  readonly until: string;
}
