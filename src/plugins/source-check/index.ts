/** source-check: can the source be built, and will it be built the same way tomorrow? */
import { parseCaptainDefinition } from '../../domain/captain-definition.js';
import { DeployError } from '../../domain/errors.js';
import { definePlugin, z } from '../../plugin/index.js';
import { contextFindings } from './build-context.js';
import { dependencyFindings } from './dependencies.js';
import { dockerfileProblems, problemSentence } from './dockerfile-check.js';
import { lintDockerfile } from './dockerfile-lint.js';
import { FINDING_CODES, FINDINGS, type Found } from './findings.js';
import { SourceFolder } from './source-folder.js';

const MAX_FINDINGS = 100;

const options = z.strictObject({
  ignore: z.array(z.enum(FINDING_CODES)).default([]).describe('Codes of findings that are not reported.'),
  max_total_mb: z
    .number()
    .positive()
    .default(512)
    .describe('Megabytes that may be sent to the build, all files together.'),
  max_file_mb: z.number().positive().default(100).describe('Megabytes that a single file may have.'),
  max_files: z.int().positive().default(20_000).describe('Files that may be sent to the build.'),
});

export const sourceCheck = definePlugin({
  name: 'source-check',
  apiVersion: 1,
  about: 'Checks the Dockerfile, captain-definition, lockfiles and what is sent to the build.',
  options,
  hooks: {
    pre_build: async (context) => {
      const { workspace, options, signal } = context;
      const source = new SourceFolder(workspace.folder);
      const found = [
        ...definitionFindings(await source.text('captain-definition')),
        ...dockerfileFindings(await source.text(workspace.dockerfile), workspace.dockerfile),
        ...(await dependencyFindings((path) => source.text(path))),
        ...contextFindings(await source.filesSent(workspace.dockerfile, signal), options),
      ].filter(({ code }) => !options.ignore.includes(code));

      for (const each of found.slice(0, MAX_FINDINGS)) context.report({ ...FINDINGS[each.code], ...each });
      if (found.length > MAX_FINDINGS)
        context.log('warn', `${found.length - MAX_FINDINGS} more findings are not shown`);
      if (found.length === 0) context.log('info', `${workspace.dockerfile} and the source are in order`);
    },
  },
});

function definitionFindings(text: string | undefined): Found[] {
  if (text === undefined) return [];
  try {
    parseCaptainDefinition(text);
    return [];
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    const code = error.code === 'template_unsupported' ? error.code : 'definition_invalid';
    return [{ code, place: 'captain-definition', message: error.message }];
  }
}

/** What cannot be built is not judged by its style. */
function dockerfileFindings(text: string | undefined, name: string): Found[] {
  if (text === undefined) return [{ code: 'definition_missing', place: name, message: `The source has no ${name}.` }];
  const problems = dockerfileProblems(text);
  if (problems.length === 0) return lintDockerfile(text, name);
  return problems.map((problem) => ({
    code: 'dockerfile_invalid',
    place: `${name}:${problem.line}`,
    message: problemSentence(name, problem),
  }));
}
