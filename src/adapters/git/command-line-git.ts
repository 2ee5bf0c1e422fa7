/** Untrusted git repositories over http and https, by the git program. */
import { readdir, readlink, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { isContainedLink } from '../../domain/contained-path.js';
import { DeployError } from '../../domain/errors.js';
import { gitUrlProblem, isCommitId, isGitRef } from '../../domain/git-address.js';
import { LIMITS } from '../../domain/limits.js';
import { GitRemote } from '../../domain/ports.js';
import { checkedAddresses, isListed } from '../network/public-address.js';
import { type GitAccess, gitAccess, HARDENED_OPTIONS, ISOLATED_ENVIRONMENT } from './git-access.js';
import { COMMIT_NOT_SERVED, gitFailure, hostFailure, lastLines, REDIRECTED } from './git-failure.js';
import { type GitOutcome, runGit } from './git-process.js';

export interface CommandLineGitOptions {
  /** Hosts, or `host:port`, that may be private and may get a token over http. */
  readonly allowedHosts: readonly string[];
  /** How large the files of a commit may be together. */
  readonly maxBytes?: number;
  /** How long `resolve` may take. */
  readonly timeoutMs?: number;
}

const DEFAULTS = {
  maxBytes: LIMITS.upload_megabytes * LIMITS.archive_expansion * 1024 * 1024,
  timeoutMs: 15_000,
};

export class CommandLineGit extends GitRemote {
  readonly #options: Required<CommandLineGitOptions>;

  constructor(options: CommandLineGitOptions) {
    super();
    this.#options = { ...DEFAULTS, ...options };
  }

  override async resolve(url: string, ref: string, token: string | undefined): Promise<string> {
    const { timeoutMs } = this.#options;
    const signal = AbortSignal.timeout(timeoutMs);
    try {
      const access = await this.#open(url, token, signal);
      return isCommitId(ref) ? ref : await this.#lookUp(access, ref, signal);
    } catch (error) {
      if (!signal.aborted || error instanceof DeployError) throw error;
      throw new DeployError('git_unreachable', `The git host did not answer within ${timeoutMs} ms.`);
    }
  }

  override async checkout(
    url: string,
    commit: string,
    token: string | undefined,
    folder: string,
    signal: AbortSignal,
  ): Promise<void> {
    if (!isCommitId(commit))
      throw new DeployError('git_ref_not_found', `${JSON.stringify(commit)} is not a commit id.`);
    const access = await this.#open(url, token, signal);
    await this.#local(folder, signal, 'init', '--quiet', '--template=');
    await this.#fetch(access, commit, folder, signal);
    await this.#requireModestSize(commit, folder, signal);
    await this.#local(folder, signal, 'checkout', '--quiet', '--detach', commit);
    await rm(join(folder, '.git'), { recursive: true });
    await requireContainedLinks(folder);
  }

  /** Every check that comes before git is started. */
  async #open(url: string, token: string | undefined, signal: AbortSignal): Promise<GitAccess> {
    const problem = gitUrlProblem(url);
    if (problem !== undefined) {
      const fields = [{ path: 'source.git.url', message: problem }];
      throw new DeployError('invalid_field', `The URL of the git repository ${problem}.`, { fields });
    }
    const parsed = new URL(url);
    const { allowedHosts } = this.#options;
    if (token !== undefined && parsed.protocol === 'http:' && !isListed(parsed, allowedHosts)) {
      throw new DeployError('git_host_refused', `A token is not sent to ${parsed.host} over http: use https.`);
    }
    const addresses = await checkedAddresses(parsed, allowedHosts, signal).catch((error: unknown) => {
      throw hostFailure(error);
    });
    return gitAccess(parsed, addresses, token);
  }

  async #lookUp(access: GitAccess, ref: string, signal: AbortSignal): Promise<string> {
    if (ref !== '' && !isGitRef(ref)) throw refNotFound(`${JSON.stringify(ref)} is not the name of a branch or tag.`);
    // A tag may be an object of its own; `^{}` is the commit behind it.
    const names =
      ref === ''
        ? ['HEAD']
        : ref.startsWith('refs/')
          ? [`${ref}^{}`, ref]
          : [`refs/heads/${ref}`, `refs/tags/${ref}^{}`, `refs/tags/${ref}`];

    const outcome = await talk(access, (url) => ['ls-remote', '--quiet', '--', url, ...names], undefined, signal);
    if (outcome.overflowed) throw new DeployError('git_unreachable', `${access.url} answers with too many refs.`);
    if (!outcome.succeeded) throw gitFailure(outcome, access);

    const commits = new Map(outcome.stdout.split('\n').map((line) => line.split('\t').reverse() as [string, string]));
    const commit = names.map((name) => commits.get(name)).find((found) => found !== undefined);
    if (commit !== undefined && isCommitId(commit)) return commit;
    throw refNotFound(
      ref === ''
        ? `${access.url} has no default branch: is it empty?`
        : `${access.url} has neither a branch nor a tag ${JSON.stringify(ref)}.`,
    );
  }

  /** The commit alone where the server gives it out; else everything that branches and tags reach. */
  async #fetch(access: GitAccess, commit: string, folder: string, signal: AbortSignal): Promise<void> {
    const fetch = ['fetch', '--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];
    const shallow = await talk(access, (url) => [...fetch, '--depth=1', '--', url, commit], folder, signal);
    if (shallow.succeeded) return;
    if (!COMMIT_NOT_SERVED.test(shallow.stderr)) throw gitFailure(shallow, access);

    const all = ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'];
    const full = await talk(access, (url) => [...fetch, '--', url, ...all], folder, signal);
    if (!full.succeeded) throw gitFailure(full, access);
  }

  /** A few kilobytes of git objects can name the same file a billion times: count before writing. */
  async #requireModestSize(commit: string, folder: string, signal: AbortSignal): Promise<void> {
    const list = ['ls-tree', '-r', '--format=%(objectsize:padded)', `${commit}^{commit}`];
    const outcome = await run(folder, signal, list);
    if (!outcome.succeeded && !outcome.overflowed) {
      const evidence = lastLines(outcome.stderr, []);
      throw new DeployError('git_ref_not_found', `The repository has no commit ${commit}.`, { evidence });
    }
    // Submodules have no size here; they are not fetched.
    const sizes = outcome.stdout.split('\n').map((size) => Number.parseInt(size, 10) || 0);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    const { maxBytes } = this.#options;
    if (outcome.overflowed || sizes.length > LIMITS.archive_entries || bytes > maxBytes) {
      throw new DeployError(
        'archive_too_large',
        `The commit holds more than ${LIMITS.archive_entries} files or ${maxBytes} bytes.`,
      );
    }
  }

  async #local(folder: string, signal: AbortSignal, ...command: string[]): Promise<void> {
    const outcome = await run(folder, signal, command);
    if (outcome.succeeded) return;
    const evidence = lastLines(outcome.stderr, []);
    if (/invalid path|malformed mode|empty filename/.test(outcome.stderr)) {
      throw new DeployError('archive_unsafe', 'The repository holds a path that is not allowed.', { evidence });
    }
    throw new Error(`git ${command.join(' ')} failed: ${evidence.join(' ')}`);
  }
}

/** A command that needs no remote. */
const run = (folder: string, signal: AbortSignal, command: readonly string[]) =>
  runGit({ args: [...HARDENED_OPTIONS, ...command], environment: ISOLATED_ENVIRONMENT, folder, signal });

/** A command at the remote. GitLab redirects to the same URL with `.git` behind it: that one step is taken by ourselves. */
async function talk(
  { url, options, environment }: GitAccess,
  command: (url: string) => readonly string[],
  folder: string | undefined,
  signal: AbortSignal,
): Promise<GitOutcome> {
  const at = (address: string) =>
    runGit({ args: [...options, ...command(address)], environment, ...(folder && { folder }), signal });
  const outcome = await at(url);
  const isRedirected = !outcome.succeeded && REDIRECTED.test(outcome.stderr) && !url.endsWith('.git');
  return isRedirected ? at(`${url.replace(/\/$/, '')}.git`) : outcome;
}

/** @throws DeployError `archive_unsafe` naming the first link that leaves the folder */
async function requireContainedLinks(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) continue;
    const path = relative(folder, join(entry.parentPath, entry.name));
    const target = await readlink(join(folder, path));
    if (!isContainedLink(path, target)) {
      const names = `${JSON.stringify(path)} -> ${JSON.stringify(target)}`;
      throw new DeployError('archive_unsafe', `The repository holds a link that leaves its folder: ${names}.`);
    }
  }
}

const refNotFound = (message: string) => new DeployError('git_ref_not_found', message);
