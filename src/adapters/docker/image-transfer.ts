/** Pulls and pushes: one transfer between the Engine and a registry. */
import type Docker from 'dockerode';
import { DeployError } from '../../domain/errors.js';
import type { OutputLine } from '../../domain/ports.js';
import { daemonMessage, statusOf } from './docker-failure.js';
import { engineEvents, openStream, type EngineRequest } from './engine-stream.js';
import { parseReference } from './image-reference.js';
import { PullLog } from './pull-log.js';
import { registryFailure } from './registry-failure.js';

interface TransferOptions {
  readonly auth: Docker.AuthConfigObject;
  readonly output: OutputLine;
  readonly signal: AbortSignal;
}

/** @throws DeployError `image_not_found`, `registry_unreachable`, `registry_denied` */
export async function pullImage(docker: Docker, name: string, options: TransferOptions): Promise<void> {
  const { repository, tag, digest } = parseReference(name);
  const query = { fromImage: repository, tag: digest ?? tag };
  const { error } = await transfer(
    docker,
    { method: 'POST', path: '/images/create', query, auth: options.auth },
    options,
  );
  if (error === undefined) return;
  throw registryFailure(error, name) ?? new DeployError('internal', `Docker could not pull ${name}: ${error}`);
}

/** Answers the digest that the registry keeps the image under. @throws DeployError `push_failed`, `registry_unreachable`, `registry_denied` */
export async function pushImage(
  docker: Docker,
  repository: string,
  tag: string,
  options: TransferOptions,
): Promise<string> {
  const path = `/images/${repository}/push`;
  const { error, digest } = await transfer(
    docker,
    { method: 'POST', path, query: { tag }, auth: options.auth },
    options,
  );
  if (digest !== undefined) return digest;

  const message = error ?? 'the registry answered no digest';
  const failure = registryFailure(message, `${repository}:${tag}`);
  if (failure && failure.code !== 'image_not_found') throw failure;
  throw new DeployError('push_failed', `${repository}:${tag} could not be pushed: ${message}`);
}

/** What the Engine refuses at once and what fails on the way come back alike. */
async function transfer(
  docker: Docker,
  request: EngineRequest,
  { output, signal }: TransferOptions,
): Promise<{ error?: string; digest?: string }> {
  const log = new PullLog(output);
  const result: { error?: string; digest?: string } = {};
  try {
    for await (const event of engineEvents(await openStream(docker, request, signal))) {
      log.take(event);
      if (event.error !== undefined) result.error = event.error;
      if (typeof event.aux === 'object' && event.aux.Digest !== undefined) result.digest = event.aux.Digest;
    }
  } catch (error) {
    if (statusOf(error) === undefined) throw error;
    result.error = daemonMessage(error);
  }
  return result;
}
