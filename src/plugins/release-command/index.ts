/** release-command: what must happen once before the new version gets requests, such as migrations of the database. */
import { definePlugin } from '../../plugin/index.js';
import { CommandOptions, runCommand } from '../one-off-command.js';

export const releaseCommand = definePlugin({
  name: 'release-command',
  apiVersion: 1,
  about: 'Runs a command in the new image before any request reaches it, once for each deployment.',
  // Nothing is changed for a version that its tests have stopped.
  after: ['run-tests'],
  options: CommandOptions,
  hooks: {
    pre_deploy: {
      timeoutSeconds: 3_600,
      run: (context) => runCommand(context, { code: 'release_command_failed', what: 'The release command' }),
    },
  },
});
