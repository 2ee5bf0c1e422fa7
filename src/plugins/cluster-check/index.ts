/** cluster-check: can the cluster run what is asked for? Nothing is touched yet. */
import { serviceName } from '../../domain/app-spec.js';
import type { Cluster, Images } from '../../domain/ports.js';
import { preflight } from '../../domain/preflight.js';
import { definePlugin, type PluginDefinition } from '../../plugin/index.js';

interface Eyes {
  readonly cluster: Pick<Cluster, 'view' | 'findService'>;
  readonly images: Pick<Images, 'inspect'>;
}

export function clusterCheck({ cluster, images }: Eyes): PluginDefinition {
  return definePlugin({
    name: 'cluster-check',
    apiVersion: 1,
    about: 'Swarm, nodes, ports, volumes, room, and the architecture of the image fit what is asked for.',
    hooks: {
      pre_deploy: async ({ deployment, image, report }) => {
        const service_name = serviceName(deployment);
        const [view, service, inspected] = await Promise.all([
          cluster.view(),
          cluster.findService(service_name),
          images.inspect(image.reference),
        ]);
        preflight({ deployment, service_name, cluster: view, service, image: inspected }).forEach(report);
      },
    },
  });
}
