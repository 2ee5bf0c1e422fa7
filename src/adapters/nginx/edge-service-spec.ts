/** What Swarm is told to run as the edge: plain data made of plain data. */
import type { SwarmServiceSpec } from '../docker/docker-types.js';
import { LABEL } from '../docker/service-spec.js';
import { EDGE_FOLDER, LIVE_FILE } from './edge-paths.js';

export const EDGE_LABEL = {
  /** Which FlukeDeploy this belongs to. */
  installation: 'flukedeploy.installation',
  /** What the service was made from. Another one is worth an update, which cuts connections; nothing else is. */
  edge: 'flukedeploy.edge',
} as const;

/** Swarm takes durations in nanoseconds. */
const SECOND = 1_000_000_000;

/**
 * What nginx cannot be told: when the other side of a connection counts as gone. Linux waits for two hours where an answer is awaited,
 * and a quarter of an hour where a request was sent; so long every request would hang that a lost node had. Here it is 5 s and 12.6 s:
 * the first is for connections to apps only, the second for clients too, who may be in a tunnel.
 */
const LOST_PEERS = {
  'net.ipv4.tcp_keepalive_time': '2',
  'net.ipv4.tcp_keepalive_intvl': '1',
  'net.ipv4.tcp_keepalive_probes': '3',
  'net.ipv4.tcp_retries2': '5',
};

/** What makes one edge; a change of it changes the service. */
export interface EdgePlace {
  readonly service: string;
  readonly network: string;
  readonly volume: string;
  readonly image: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly installation: string;
}

/** Names what an update is for. */
export const edgeFingerprint = ({ image, network, volume, httpPort, httpsPort }: EdgePlace): string =>
  [image, network, volume, httpPort, httpsPort, ...Object.values(LOST_PEERS)].join(' ');

export const edgeLabels = ({ installation }: EdgePlace): Record<string, string> => ({
  [LABEL.managed]: 'true',
  [EDGE_LABEL.installation]: installation,
});

/**
 * @param found.image what the image's name stood for when the service was made: no registry is asked at a restart
 * @param found.network id of the overlay network
 * @param found.node the node of the Engine that FlukeDeploy speaks to, which must have the container to work on it
 */
export function edgeServiceSpec(
  place: EdgePlace,
  found: { readonly image: string; readonly network: string; readonly node: string },
): SwarmServiceSpec {
  return {
    Name: place.service,
    Labels: { ...edgeLabels(place), [EDGE_LABEL.edge]: edgeFingerprint(place) },
    TaskTemplate: {
      ContainerSpec: {
        Image: found.image,
        Labels: edgeLabels(place),
        // In place of the image's entrypoint, which would write files of its own.
        Command: ['nginx', '-g', 'daemon off;', '-c', `${EDGE_FOLDER}/${LIVE_FILE}`],
        Mounts: [
          {
            Type: 'volume',
            Source: place.volume,
            Target: EDGE_FOLDER,
            ReadOnly: false,
            VolumeOptions: { Labels: edgeLabels(place) },
          },
        ],
        Init: true,
        Sysctls: LOST_PEERS,
        // Requests under way are answered before it ends.
        StopSignal: 'SIGQUIT',
        StopGracePeriod: 10 * SECOND,
      },
      Resources: {},
      RestartPolicy: { Condition: 'any', Delay: 1 * SECOND },
      Placement: { Constraints: [`node.id==${found.node}`] },
      Networks: [{ Target: found.network }],
      LogDriver: { Name: 'json-file', Options: { 'max-size': '10m', 'max-file': '3' } },
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: 1 } },
    // Its ports have one holder at a time.
    UpdateConfig: { Parallelism: 1, Order: 'stop-first', FailureAction: 'pause', Monitor: 2 * SECOND },
    EndpointSpec: { Mode: 'dnsrr', Ports: [published(80, place.httpPort), published(443, place.httpsPort)] },
  };
}

function published(
  target: number,
  port: number,
): {
  Protocol: 'tcp';
  TargetPort: number;
  PublishedPort: number;
  PublishMode: 'host';
} {
  return { Protocol: 'tcp', TargetPort: target, PublishedPort: port, PublishMode: 'host' };
}
