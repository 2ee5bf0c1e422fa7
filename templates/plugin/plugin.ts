/** No file of the source is too large, and the new version answers where it should. */
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { definePlugin, z } from 'flukedeploy/plugin';

export default definePlugin({
  name: '{{name}}',
  apiVersion: 1,
  about: 'Refuses large files, and asks the new version for a page.',
  options: z.strictObject({
    largest_file_kb: z.number().positive().default(1024).describe('Size of the largest file that the source may hold.'),
    path: z.string().startsWith('/').default('/').describe('The page that the new version must have.'),
  }),
  hooks: {
    pre_build: async ({ workspace, options, report, log }) => {
      const entries = await readdir(workspace.folder, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
      for (const file of files) {
        const kilobytes = (await stat(file)).size / 1024;
        if (kilobytes <= options.largest_file_kb) continue;
        report({
          severity: 'error',
          code: 'file_too_large',
          message: `The file has ${Math.ceil(kilobytes)} kB; at most ${options.largest_file_kb} are allowed.`,
          place: relative(workspace.folder, file),
          hint: 'Keep large files outside of the source.',
        });
      }
      log('info', `${files.length} files were measured`);
    },
    post_deploy: {
      timeoutSeconds: 30,
      run: async ({ fetch, options, probed, fail }) => {
        const { status, durationMs } = await fetch(options.path);
        const healthy = status < 400;
        probed({ target: options.path, healthy, httpStatus: status, durationMs });
        if (!healthy) fail('page_missing', `${options.path} answers with status ${status}.`);
      },
    },
  },
});
