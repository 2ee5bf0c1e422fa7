/** The one table of everything that source-check can find: how serious it is, and what to do about it. */
import type { Severity } from '../../plugin/index.js';

interface Row {
  readonly severity: Severity;
  readonly hint: string;
}

const error = (hint: string): Row => ({ severity: 'error', hint });
const warning = (hint: string): Row => ({ severity: 'warning', hint });
const info = (hint: string): Row => ({ severity: 'info', hint });

const DEFINITION_HINT = 'Schema version 2 with exactly one of dockerfileLines, dockerfilePath, imageName.';

export const FINDINGS = {
  // What the build would stop at
  definition_missing: error('Add the Dockerfile, or name the right path in captain-definition.'),
  dockerfile_invalid: error('Correct this line: the build would stop there.'),
  definition_invalid: error(DEFINITION_HINT),
  template_unsupported: error(DEFINITION_HINT),

  // The Dockerfile
  base_image_untagged: warning(
    'Name a version, such as node:24-alpine: without one it is whatever is newest that day.',
  ),
  base_image_latest: warning('Name a version: `latest` is another image tomorrow.'),
  add_of_url: warning('Give ADD a --checksum, or download with RUN and check the sum there.'),
  add_of_files: info('Use COPY: ADD also unpacks and downloads, which nobody expects here.'),
  run_cd: info('Use WORKDIR: every RUN starts in it again.'),
  apt_get_asks: warning('Add -y: nobody is there to answer.'),
  apt_get_upgrade: info('Take a newer base image instead: an upgrade makes builds differ from day to day.'),
  apt_lists_kept: info('End the same RUN with `rm -rf /var/lib/apt/lists/*`: the image gets smaller.'),
  sudo_used: warning('Leave sudo out: RUN is root already, and USER changes that.'),
  workdir_relative: warning('Begin the path with a slash: a relative one depends on what stands above.'),
  command_repeated: warning('Remove it: only the last CMD and the last ENTRYPOINT of a stage count.'),
  command_in_shell: warning('Write it as a list, such as CMD ["node", "main.js"]: a shell does not pass on SIGTERM.'),
  port_out_of_range: warning('Ports go from 1 to 65535.'),
  secret_in_dockerfile: warning(
    'Set it as an environment variable or secret of the app, or use RUN --mount=type=secret.',
  ),

  // Dependencies
  manifest_invalid: warning('Correct the file: its package manager cannot read it either.'),
  lockfile_missing: warning('Commit the lockfile: without it every build may get other versions.'),
  lockfile_invalid: warning('Make the lockfile anew with its package manager.'),
  lockfile_stale: warning('Run the install command of the package manager and commit the lockfile.'),
  lockfiles_mixed: warning('Keep the lockfile of one package manager and remove the others.'),
  requirements_unpinned: info('Pin every version with ==, such as by pip-compile.'),

  // What is sent to the build
  context_unneeded: info('Name it in .dockerignore: the build gets faster and the image smaller.'),
  context_sensitive: warning('Name it in .dockerignore: a COPY of the folder would put it into the image.'),
  context_too_large: warning('Name what the build does not need in .dockerignore.'),
  context_too_many_files: warning('Name what the build does not need in .dockerignore.'),
  file_too_large: warning('Keep it out of the source, or name it in .dockerignore.'),
} as const satisfies Readonly<Record<string, Row>>;

export type FindingCode = keyof typeof FINDINGS;
export const FINDING_CODES = Object.keys(FINDINGS) as FindingCode[];

/** One thing that a check has found; the table knows the rest. */
export interface Found {
  readonly code: FindingCode;
  /** Such as `Dockerfile:3`. */
  readonly place: string;
  readonly message: string;
}
