/** run-tests: the app's own tests, in the image that would be deployed. */
import { definePlugin } from '../../plugin/index.js';
import { CommandOptions, runCommand } from '../one-off-command.js';

export const runTests = definePlugin({
  name: 'run-tests',
  apiVersion: 1,
  about: 'Runs a command in the new image; the deployment stops where it fails.',
  after: ['cluster-check', 'image-policy', 'vulnerability-scan'],
  options: CommandOptions,
  hooks: {
    pre_deploy: {
      timeoutSeconds: 3_600,
      run: (context) => runCommand(context, { code: 'tests_failed', what: 'The test command' }),
    },
  },
});
