/** A real git server over HTTP on loopback (git's own http-backend), and repositories made from lists of files. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export interface GitServerOptions {
  /** Folder that holds the repositories. */
  readonly root: string;
  /** With a token, every request must carry it as the password of Basic authentication. */
  readonly token?: string;
  /** The user that must come with the token; `oauth2` when left out. */
  readonly user?: string;
  /** Answers as servers did before git 2.26: commits that no branch or tag names are not given out. */
  readonly old?: boolean;
}

export interface GitServer {
  /** Without a slash at its end; a repository is at `${url}/name.git`. */
  readonly url: string;
  /** `127.0.0.1:port`, as it stands in a list of allowed hosts. */
  readonly host: string;
  /** Method and path of every request, in order. */
  readonly requests: readonly string[];
  stop(): Promise<void>;
}

export async function startGitServer({ root, token, user = 'oauth2', old }: GitServerOptions): Promise<GitServer> {
  const expected = token && `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`);
    if (expected && request.headers.authorization !== expected) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end('a token is needed');
      return;
    }
    serve(request, response, root, old === true).catch((error: unknown) => response.destroy(error as Error));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    requests,
    stop: async () => {
      server.closeAllConnections();
      await promisify(server.close.bind(server))();
    },
  };
}

/** One request as CGI: the program gets it by environment and input, and answers headers, an empty line, the body. */
async function serve(request: IncomingMessage, response: ServerResponse, root: string, old: boolean): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const { headers } = request;
  const backend = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      // The repositories of tests may belong to another user than the one who serves them.
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: searchParams.toString(),
      CONTENT_TYPE: headers['content-type'],
      HTTP_CONTENT_ENCODING: headers['content-encoding'],
      ...(old ? {} : { HTTP_GIT_PROTOCOL: headers['git-protocol'] as string | undefined }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // The program may end before it has read everything, which is its right.
  backend.stdin.on('error', () => undefined);
  request.pipe(backend.stdin);

  let head = Buffer.alloc(0);
  for await (const chunk of backend.stdout as AsyncIterable<Buffer>) {
    if (response.headersSent) {
      response.write(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) continue;
    const fields = head
      .subarray(0, end)
      .toString()
      .split('\r\n')
      .map((line) => line.split(': ') as [string, string]);
    const status = fields.find(([name]) => name === 'Status')?.[1] ?? '200';
    response.writeHead(Number.parseInt(status, 10), Object.fromEntries(fields.filter(([name]) => name !== 'Status')));
    response.write(head.subarray(end + 4));
  }
  response.end();
}

/** A file's text, or where a symbolic link points to, or a program. */
export type RepositoryFile = string | { readonly link: string } | { readonly program: string };

export interface Commit {
  readonly files: Readonly<Record<string, RepositoryFile>>;
  readonly branch?: string;
  /** Name of an annotated tag on the commit. */
  readonly tag?: string;
}

/** Makes the bare repository `<root>/<name>` with these commits in order, on `main` unless said; answers their ids. */
export async function makeRepository(root: string, name: string, ...commits: readonly Commit[]): Promise<string[]> {
  const repository = join(root, name);
  await git('init', '--quiet', '--bare', '--initial-branch=main', repository);
  const ids: string[] = [];
  for (const commit of commits) ids.push(await addCommit(repository, commit));
  return ids;
}

/** Adds a commit holding exactly these files to the bare repository; answers its id. */
export async function addCommit(repository: string, { files, branch = 'main', tag }: Commit): Promise<string> {
  const tree = await mkdtemp(join(tmpdir(), 'flukedeploy-commit-'));
  try {
    for (const [path, content] of Object.entries(files)) await writeEntry(join(tree, path), content);
    const inTree = (...args: string[]) => git('--git-dir', repository, '--work-tree', tree, ...args);
    await inTree('symbolic-ref', 'HEAD', `refs/heads/${branch}`);
    await inTree('add', '--all', '--force', '.');
    await inTree('commit', '--quiet', '--allow-empty', '--message', 'test');
    if (tag !== undefined) await inTree('tag', '--annotate', '--message', tag, tag);
    const id = await inTree('rev-parse', 'HEAD');
    await inTree('symbolic-ref', 'HEAD', 'refs/heads/main');
    return id;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

async function writeEntry(path: string, content: RepositoryFile): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  if (typeof content === 'string') return writeFile(path, content);
  if ('link' in content) return symlink(content.link, path);
  await writeFile(path, content.program);
  await chmod(path, 0o755);
}

/** Runs git without the settings of the machine; answers what it prints. */
export async function git(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('git', args, {
    env: {
      PATH: process.env['PATH'],
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 'test@example.com',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 'test@example.com',
    },
  });
  return stdout.trim();
}
