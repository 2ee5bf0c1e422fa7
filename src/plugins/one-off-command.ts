/** A command in the new image as a plugin: what `run-tests` and `release-command` share. */
import { DEPLOYMENT_KINDS } from '../domain/facts.js';
import type { PreDeployContext } from '../domain/plugin.js';
import { z } from '../plugin/index.js';

export const CommandOptions = z.strictObject({
  command: z
    .array(z.string().max(4_000))
    .min(1)
    .max(100)
    .describe('Program and arguments, as they are: no shell reads them. It takes the place of ENTRYPOINT and CMD.'),
  env: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/), z.string().max(4_000))
    .default({})
    .describe('Environment variables beside those of the app.'),
  timeout_seconds: z.int().min(1).max(3_600).default(600).describe('Seconds that the command may take.'),
  kinds: z
    .array(z.enum(DEPLOYMENT_KINDS))
    .min(1)
    .default(['deploy'])
    .describe('Kinds of deployments that it runs for: a rollback brings back an image for which it has run before.'),
});
export type CommandOptions = z.infer<typeof CommandOptions>;

/** Its exit code decides. */
export async function runCommand(
  context: PreDeployContext<CommandOptions>,
  failure: { code: string; what: string },
): Promise<void> {
  const { deployment, options, run, fail, log, output } = context;
  const { command, env, timeout_seconds: timeoutSeconds, kinds } = options;
  if (!kinds.includes(deployment.kind)) {
    log('info', `Nothing is run for a ${deployment.kind}`);
    return;
  }
  const { exitCode, lastLines, durationMs } = await run(command, { env, timeoutSeconds });
  output('exit_code', exitCode);
  output('duration_ms', durationMs);
  if (exitCode !== 0) fail(failure.code, `${failure.what} ended with code ${exitCode}.`, lastLines);
}
