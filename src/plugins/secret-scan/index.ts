/** secret-scan: have secrets been committed with the source? */
import { matchesGlob } from 'node:path/posix';
import { definePlugin, z } from '../../plugin/index.js';
import { fingerprint, secretFindings } from './secret-findings.js';
import { secretsIn } from './secret-rules.js';
import { sourceTexts, type LeftOut } from './source-texts.js';

const MAX_FINDINGS = 100;

const options = z.strictObject({
  allow: z
    .array(z.string().min(1))
    .default([])
    .describe('What is no secret: fingerprints, as findings show them, or globs of paths such as `test/**`.'),
  skip: z.array(z.string().min(1)).default([]).describe('Globs of paths that are not read at all.'),
});

export const secretScan = definePlugin({
  name: 'secret-scan',
  apiVersion: 1,
  about: 'Finds tokens, keys and passwords that were committed with the source.',
  options,
  hooks: {
    pre_build: async (context) => {
      const { workspace, options, signal } = context;
      const leftOut: LeftOut = new Map();
      let found = 0;
      for await (const { path, text } of sourceTexts(workspace.folder, options.skip, leftOut, signal)) {
        if (options.allow.some((glob) => matchesGlob(path, glob))) continue;
        const secrets = (await secretsIn(path, text)).filter(
          ({ value }) => !options.allow.includes(fingerprint(value)),
        );
        for (const finding of secretFindings(path, secrets)) {
          found += 1;
          if (found <= MAX_FINDINGS) context.report(finding);
        }
      }
      if (found > MAX_FINDINGS) context.log('warn', `${found - MAX_FINDINGS} more secrets are not shown`);
      if (found === 0) context.log('info', 'no secrets found');
      if (leftOut.size > 0) context.log('info', `not read: ${inWords(leftOut)}`);
    },
  },
});

const inWords = (leftOut: LeftOut): string =>
  Array.from(leftOut, ([reason, count]) => `${count} × ${reason}`).join(', ');
