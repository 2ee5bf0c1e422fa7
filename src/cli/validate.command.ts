/** `flukedeploy validate`: what would become of a deployment; nothing is deployed. */
import type { CommandContext } from './command-context.js';
import { deployOrder } from './deploy-body.js';
import { bytesOf, readFiles } from './deploy.command.js';
import type { OrderOptions } from './deploy-options.js';
import { EXIT, UsageError } from './failures.js';
import { requireSource } from './pack.js';
import { validationLines } from './render-validation.js';

export interface ValidateOptions extends OrderOptions {
  readonly live?: boolean;
  readonly runTests?: boolean;
  readonly securityScan?: boolean;
  readonly json?: boolean;
}

/** @returns the exit code: 1 where the deployment would be stopped */
export async function validate(
  context: CommandContext,
  path: string | undefined,
  options: ValidateOptions,
): Promise<number> {
  const { live = false, runTests = false, securityScan = false, json = false } = options;
  const { body, upload } = deployOrder(path, options, await readFiles(options));
  const hasSource = path !== undefined || upload?.kind === 'archive' || upload === undefined;
  if (live && hasSource) throw new UsageError('With --live no source is named.');
  const sent = live ? undefined : upload;
  if (sent?.kind === 'folder') await requireSource(sent.path);

  const tried = { ...(runTests && { run_tests: true }), ...(securityScan && { run_security_scan: true }) };
  const api = await context.api();
  const answer = await api.validate({ ...body, ...tried }, sent && (() => bytesOf(sent)));
  const { terminal } = context;
  if (json) terminal.json(answer);
  else terminal.print(validationLines(body.app_name, answer, terminal.paint));
  return answer.valid ? EXIT.success : EXIT.failed;
}
