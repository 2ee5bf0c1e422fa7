/** THE list of the built-in plugins, in the order in which their hooks run where nothing else is said. */
import type { Cluster, Images } from '../domain/ports.js';
import type { Plugin } from '../domain/plugin.js';
import { inProcessPlugin } from '../plugin/in-process-plugin.js';
import { clusterCheck } from './cluster-check/index.js';
import { healthCheck } from './health-check/index.js';
import { releaseCommand } from './release-command/index.js';
import { runTests } from './run-tests/index.js';
import { smokeTest } from './smoke-test/index.js';

/** What built-in checks see of the world beside their context. */
export interface PluginPorts {
  readonly cluster: Cluster;
  readonly images: Images;
}

export function builtInPlugins(ports: PluginPorts, version: string): Plugin[] {
  const about = { version, origin: 'built-in' } as const;
  return [
    inProcessPlugin(clusterCheck(ports), about),
    inProcessPlugin(runTests, about),
    inProcessPlugin(releaseCommand, about),
    inProcessPlugin(healthCheck, about),
    inProcessPlugin(smokeTest, about),
  ];
}
