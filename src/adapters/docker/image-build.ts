/** One build in the Engine: from the folder to the image's id. */
import type Docker from 'dockerode';
import type { BuildOrder, OutputLine } from '../../domain/ports.js';
import { packContext } from './build-context.js';
import { BuildLog } from './build-log.js';
import { hasBuildkit, openSession } from './buildkit-session.js';
import { daemonMessage, statusOf } from './docker-failure.js';
import { engineEvents, openStream, type EngineRequest } from './engine-stream.js';
import { buildFailure } from './registry-failure.js';
import { registryLogins, type RegistryLocation } from './registry-location.js';

export interface BuildOptions {
  readonly output: OutputLine;
  readonly signal: AbortSignal;
  /** Whose logins fetch base images. */
  readonly registries: readonly RegistryLocation[];
  /** For tests; left out = BuildKit where the Engine has it. */
  readonly buildkit?: boolean | undefined;
}

/**
 * Answers the id of the image.
 * @throws DeployError `build_failed`, `image_not_found` or `registry_unreachable` for a base image
 */
export async function buildImage(docker: Docker, order: BuildOrder, options: BuildOptions): Promise<string> {
  const { output, signal, registries } = options;
  const log = new BuildLog(output);
  const buildkit = options.buildkit ?? (await hasBuildkit(docker, signal));
  const context = await packContext(order.folder, order.dockerfile);
  const session = buildkit ? await openSession(docker, registries) : undefined;
  try {
    const request: EngineRequest = {
      method: 'POST',
      path: '/build',
      query: {
        t: order.tag,
        dockerfile: order.dockerfile,
        labels: order.labels,
        forcerm: true,
        ...(session && { version: '2', session: session.id }),
      },
      body: context,
      logins: registryLogins(registries),
    };
    for await (const event of engineEvents(await openStream(docker, request, signal))) log.take(event);
  } catch (error) {
    // Refused before it began, such as a Dockerfile that cannot be read.
    if (statusOf(error) !== undefined) throw buildFailure(daemonMessage(error), log.lastLines);
    throw error;
  } finally {
    log.end();
    session?.end();
    context.destroy();
  }
  if (log.error !== undefined) throw buildFailure(log.error, log.lastLines);
  return log.imageId ?? order.tag;
}
