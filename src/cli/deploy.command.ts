/** `flukedeploy deploy`: sends the source, then watches the deployment to its end. */
import { randomUUID } from 'node:crypto';
import type { DeploymentAnswer } from './answers.js';
import type { Api } from './api.js';
import type { CommandContext } from './command-context.js';
import { deployOrder, type DeployOrder, type OptionFiles, type Upload } from './deploy-body.js';
import type { DeployOptions } from './deploy-options.js';
import { EXIT, Interrupted, Unreachable } from './failures.js';
import { archiveFile, packed, requireSource } from './pack.js';
import { printable } from './printable.js';
import type { Terminal } from './terminal.js';
import { readEnvironmentFile, readJsonObject, readSecret } from './text-file.js';
import { watch } from './watch.js';

export async function deploy(
  context: CommandContext,
  path: string | undefined,
  options: DeployOptions,
): Promise<number> {
  const { terminal } = context;
  const { json = false, detach = false } = options;
  const order = deployOrder(path, options, await readFiles(options));
  if (order.upload?.kind === 'folder') await requireSource(order.upload.path);

  const api = await context.api();
  const accepted = await send(api, order, options.idempotencyKey ?? randomUUID(), terminal);
  if (!detach) {
    if (!json) terminal.print([`Deployment ${printable(accepted.deployment_id)}`]);
    return watch(context, api, accepted.deployment_id, { json });
  }
  if (json) terminal.json(accepted);
  else terminal.print([printable(accepted.deployment_id)]);
  return EXIT.success;
}

async function send(
  api: Api,
  { body, upload }: DeployOrder,
  key: string,
  terminal: Terminal,
): Promise<DeploymentAnswer> {
  try {
    return await api.deploy(body, upload && (() => bytesOf(upload)), key);
  } catch (error) {
    if (error instanceof Unreachable || error instanceof Interrupted)
      terminal.note(
        `It is not known whether the deployment was accepted. To repeat it safely: --idempotency-key ${key}`,
      );
    throw error;
  }
}

function bytesOf({ kind, path }: Upload): AsyncIterable<Uint8Array> {
  return kind === 'folder' ? packed(path) : archiveFile(path);
}

async function readFiles({ spec, envFile, gitTokenFile }: DeployOptions): Promise<OptionFiles> {
  return {
    // What the fields hold is for the server to judge: it names each one that is wrong.
    ...(spec !== undefined && { spec: await readJsonObject(spec) }),
    ...(envFile !== undefined && { env: await readEnvironmentFile(envFile) }),
    ...(gitTokenFile !== undefined && { git_token: await readSecret(gitTokenFile) }),
  };
}
