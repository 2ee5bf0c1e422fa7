/** FlukeDeploy with an edge of its own, a client, and names that are removed at the end: what a benchmark of deliveries stands on. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Docker from 'dockerode';
import { DeployClient } from './deploy-client.ts';
import { removeLeftovers } from './leftovers.ts';
import { edgeEnvironment } from './ports.ts';
import { FLUKEDEPLOY, startServer } from './server.ts';
import { temporaryFolder } from './stores.ts';

export async function startServerWithEdge(scope: AsyncDisposableStack) {
  const prefix = `fdbench-${randomBytes(4).toString('hex')}`;
  const docker = new Docker();
  scope.defer(() => removeLeftovers(docker, prefix));
  const folder = await temporaryFolder(scope);
  const environment = await edgeEnvironment(`${prefix}-edge`);
  const server = await startServer(scope, FLUKEDEPLOY, { DATA_DIR: join(folder, 'data'), ...environment });
  return {
    prefix,
    docker,
    folder,
    url: `http://127.0.0.1:${environment.HTTP_PORT}`,
    client: await DeployClient.logIn(server),
  };
}
