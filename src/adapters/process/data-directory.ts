/** The data directory as the system sees it: who may use it (one server at a time), who can reach it, where sockets fit. */
import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** The numbers of a system user, as `spawn` and `chown` take them. */
export interface SystemUser {
  readonly uid: number;
  readonly gid: number;
}

export interface DataDirectoryLock {
  release(): Promise<void>;
}

/** A lock lives as long as its file is open; this keeps the garbage collector from closing it. */
const held = new Set<DatabaseSync>();

/** SQLite's code for "another process (or connection) holds the lock". */
const SQLITE_BUSY = 5;

/** A socket's path has room for 104 bytes on macOS and 108 on Linux, a closing zero included. */
const LONGEST_SOCKET_PATH = 103;

/** True when we can run our children as another user. */
export const isRoot = (): boolean => process.getuid?.() === 0;

/**
 * Makes the data directory and keeps every other server out of it until `release()` or the death of this process.
 *
 * The lock is SQLite's on an empty file: the kernel drops it when its holder dies, so nothing stale is left to judge,
 * and two servers that start at the same moment cannot both get it (a bound socket must be removed after a crash, and
 * the remover can hit a fresh one).
 *
 * @throws Error naming the directory when another server holds it
 */
export async function lockDataDirectory(directory: string): Promise<DataDirectoryLock> {
  await makeDirectory(directory);
  const path = join(directory, 'lock');
  const file = new DatabaseSync(path, { timeout: 0 });
  try {
    await chmod(path, 0o600); // who can read the file could lock it too
    file.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) throw error;
    throw new Error(
      `Another FlukeDeploy server uses the data directory ${directory}. Stop it, or set DATA_DIR to another directory.`,
      { cause: error },
    );
  }
  held.add(file);
  return {
    release: () => {
      if (held.delete(file)) file.close();
      return Promise.resolve();
    },
  };
}

/** Makes a directory, with what is missing above it, for us alone; where we are root, the database's user may pass through it. */
export async function makeDirectory(directory: string): Promise<void> {
  const mode = isRoot() ? 0o711 : 0o700;
  const path = resolve(directory);
  const topmost = await mkdir(path, { recursive: true });
  if (topmost === undefined) return;
  // Set afterwards, since the umask takes from what mkdir is given.
  for (let made = path; made.length >= topmost.length; made = dirname(made)) await chmod(made, mode);
}

/** True when `user` may pass through every directory of the absolute path `directory`, itself included. */
export async function isReachableBy(user: SystemUser, directory: string): Promise<boolean> {
  const { uid, gid, mode } = await stat(directory);
  const mayPass = uid === user.uid ? 0o100 : gid === user.gid ? 0o010 : 0o001;
  if ((mode & mayPass) === 0) return false;
  return directory === dirname(directory) || isReachableBy(user, dirname(directory));
}

/**
 * The directory for a socket called `name`: `directory` itself, or, where the path would be too long for a socket,
 * one below the system's temporary directory that only `owner` (default: ourselves) can enter. The same for each call.
 *
 * @throws Error when somebody else made that temporary directory
 */
export async function socketDirectory(directory: string, name: string, owner?: SystemUser): Promise<string> {
  if (Buffer.byteLength(join(directory, name)) <= LONGEST_SOCKET_PATH) return directory;
  const short = join(tmpdir(), `flukedeploy-${shortHash(directory)}`);
  if (!(await exists(short))) await mkdir(short, { mode: 0o700 });
  // Everybody can write to the temporary directory: what is there already is trusted only if it is ours and closed.
  const found = await lstat(short);
  const ours = found.uid === process.getuid?.() || found.uid === owner?.uid;
  if (!found.isDirectory() || !ours || (found.mode & 0o077) !== 0) {
    throw new Error(
      `${short} is needed for a socket but was made by somebody else. Remove it, or set DATA_DIR to a shorter path.`,
    );
  }
  if (owner !== undefined) await chown(short, owner.uid, owner.gid);
  return short;
}

/** Eight hexadecimal digits that stand for a path. */
export const shortHash = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 8);

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
}

/** True for an error of the system with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && codes.some((code) => code === error.code);
}
