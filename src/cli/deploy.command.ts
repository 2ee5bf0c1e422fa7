/** `flukedeploy deploy`: sends the source, then watches the deployment to its end. */
import { randomUUID } from 'node:crypto';
import type { CommandContext } from './command-context.js';
import { deployOrder, type OptionFiles, type Upload } from './deploy-body.js';
import type { DeployOptions, OrderOptions } from './deploy-options.js';
import { archiveFile, packed, requireSource } from './pack.js';
import { readEnvironmentFile, readJsonObject, readSecret } from './text-file.js';
import { sent, watchAccepted } from './watch.js';

export async function deploy(
  context: CommandContext,
  path: string | undefined,
  options: DeployOptions,
): Promise<number> {
  const order = deployOrder(path, options, await readFiles(options));
  if (order.upload?.kind === 'folder') await requireSource(order.upload.path);

  const api = await context.api();
  const { idempotencyKey: key = randomUUID() } = options;
  const { body, upload } = order;
  const accepted = await sent(context.terminal, key, () => api.deploy(body, upload && (() => bytesOf(upload)), key));
  return watchAccepted(context, api, accepted, options);
}

export function bytesOf({ kind, path }: Upload): AsyncIterable<Uint8Array> {
  return kind === 'folder' ? packed(path) : archiveFile(path);
}

export async function readFiles({ spec, envFile, gitTokenFile }: OrderOptions): Promise<OptionFiles> {
  return {
    // What the fields hold is for the server to judge: it names each one that is wrong.
    ...(spec !== undefined && { spec: await readJsonObject(spec) }),
    ...(envFile !== undefined && { env: await readEnvironmentFile(envFile) }),
    ...(gitTokenFile !== undefined && { git_token: await readSecret(gitTokenFile) }),
  };
}
