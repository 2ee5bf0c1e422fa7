/** THE list of the built-in plugins, in the order in which their hooks run where nothing else is said. */
import type { Cluster, Images, ImageScanner, Sboms } from '../domain/ports.js';
import type { Plugin } from '../domain/plugin.js';
import type { PluginDefinition } from '../plugin/define-plugin.js';
import { inProcessPlugin } from '../plugin/in-process-plugin.js';
import { clusterCheck } from './cluster-check/index.js';
import { healthCheck } from './health-check/index.js';
import { imagePolicy } from './image-policy/index.js';
import { notify } from './notify/notify.js';
import { releaseCommand } from './release-command/index.js';
import { runTests } from './run-tests/index.js';
import { secretScan } from './secret-scan/index.js';
import { smokeTest } from './smoke-test/index.js';
import { sourceCheck } from './source-check/index.js';
import { vulnerabilityScan } from './vulnerability-scan/index.js';

/** What built-in checks see of the world beside their context. */
export interface PluginPorts {
  readonly cluster: Cluster;
  readonly images: Images;
  readonly scanner: ImageScanner;
  readonly sboms: Sboms;
}

export function builtInPlugins({ cluster, images, scanner, sboms }: PluginPorts, version: string): Plugin[] {
  const builtIn = <Options>(definition: PluginDefinition<Options>): Plugin =>
    inProcessPlugin(definition, { version, origin: 'built-in' });
  return [
    // pre_build
    builtIn(sourceCheck),
    builtIn(secretScan),
    // pre_deploy
    builtIn(clusterCheck({ cluster, images })),
    builtIn(imagePolicy(images)),
    builtIn(vulnerabilityScan(scanner, sboms)),
    builtIn(runTests),
    builtIn(releaseCommand),
    // post_deploy
    builtIn(healthCheck),
    builtIn(smokeTest),
    // after the end
    builtIn(notify),
  ];
}
