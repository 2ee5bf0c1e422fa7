/** Namespaces, processes and mounts of this machine under names of one run, and their certain end. */
import { execFile, spawn } from 'node:child_process';
import { constants, accessSync, openSync, closeSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './until.js';

const PREFIX = 'fdnodes-';
const PROGRAMS = ['ip', 'nsenter', 'unshare', 'umount', 'docker', 'dockerd', 'docker-registry'];
/** Engines stop their containers first. */
const END_TIMEOUT_MS = 15_000;
const RUN_TIMEOUT_MS = 60_000;
const execute = promisify(execFile);

/** Runs a program to its end and answers what it printed. @throws Error with its complaint */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  return (await execute(program, args, { timeout: RUN_TIMEOUT_MS, maxBuffer: 16 * 1024 * 1024 })).stdout;
}

/** Why namespaces cannot be made here; `undefined` where they can. */
export function missing(): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.getuid?.() !== 0) return 'needs root';
  const absent = PROGRAMS.filter((program) => !isInstalled(program));
  return absent.length > 0 ? `needs ${absent.join(', ')}` : undefined;
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export interface ClaimedNames {
  readonly folder: string;
  namespace(name: string): string;
  /** What stands in front of a command so that it runs in that network namespace. */
  inside(name: string): readonly string[];
  addNamespace(name: string): Promise<void>;
  /** A host name as a file for `nsenter --uts`. */
  hostname(name: string, hostname: string): Promise<string>;
  /** Starts a program that runs until the release; what it prints goes into the file. */
  spawn(log: string, program: string, ...args: readonly string[]): void;
  release(): Promise<void>;
}

/** Names of this process, after what killed runs have left is gone. */
export async function claimed(): Promise<ClaimedNames> {
  for (const run of await abandoned()) await release(run);
  const id = `${PREFIX}${process.pid}`;
  const folder = folderOf(id);
  await mkdir(folder, { recursive: true });
  const namespace = (name: string): string => `${id}-${name}`;
  const inside = (name: string): string[] => ['nsenter', `--net=/var/run/netns/${namespace(name)}`, '--'];
  return {
    folder,
    namespace,
    inside,
    addNamespace: async (name) => {
      await run('ip', 'netns', 'add', namespace(name));
      await run('ip', '-n', namespace(name), 'link', 'set', 'lo', 'up');
    },
    hostname: async (name, hostname) => {
      const file = join(folder, `${name}.uts`);
      await writeFile(file, '');
      await run('unshare', `--uts=${file}`, 'hostname', hostname);
      return file;
    },
    spawn: (log, program, ...args) => {
      const output = openSync(log, 'a');
      // A group of its own: an interrupt of the tests must not end it before its containers.
      spawn(program, args, { stdio: ['ignore', output, output], detached: true }).unref();
      closeSync(output);
    },
    release: () => release(id),
  };
}

const folderOf = (id: string): string => join(tmpdir(), id);

async function namespacesOf(prefix: string): Promise<string[]> {
  const listed = await run('ip', 'netns', 'list');
  return listed.split('\n').flatMap((line) => (line.split(' ')[0]?.startsWith(prefix) ? [line.split(' ')[0]!] : []));
}

/** Runs whose process is no more. */
async function abandoned(): Promise<string[]> {
  const runs = (await namespacesOf(PREFIX)).map((name) => name.split('-').slice(0, 2).join('-'));
  const isOver = (id: string): boolean => {
    try {
      process.kill(Number(id.slice(PREFIX.length)), 0);
      return false;
    } catch {
      return true;
    }
  };
  return [...new Set(runs)].filter(isOver);
}

/** Processes, then mounts, then namespaces, then files: each holds the next. */
async function release(id: string): Promise<void> {
  const namespaces = await namespacesOf(`${id}-`);
  const processes = () => processesOf(namespaces, folderOf(id));
  const ended = () => until(async () => (await processes()).length === 0, `the processes of ${id} end`, END_TIMEOUT_MS);
  // An Engine ends its containers and what they run in by itself.
  for (const { pid, name } of await processes()) if (!/^containerd/.test(name)) end(pid, 'SIGTERM');
  await ended().catch(async () => {
    for (const { pid } of await processes()) end(pid, 'SIGKILL');
    await ended();
  });
  await until(async () => (await unmounted(folderOf(id))) === 0, `nothing is mounted under ${id}`, END_TIMEOUT_MS);
  for (const name of namespaces) await run('ip', 'netns', 'delete', name);
  await rm(folderOf(id), { recursive: true, force: true, maxRetries: 5 });
}

interface FoundProcess {
  readonly pid: number;
  readonly name: string;
}

/** Those in the namespaces, and those of containers, which have namespaces of their own. */
async function processesOf(namespaces: readonly string[], folder: string): Promise<FoundProcess[]> {
  const listed = await Promise.all(namespaces.map((name) => run('ip', 'netns', 'pids', name)));
  const inside = new Set(listed.join('\n').split('\n').filter(Boolean));
  const all = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    all.map(async (pid) => {
      // One that ends between the looks is gone.
      const [name, mounts] = await Promise.all([read(`/proc/${pid}/comm`), read(`/proc/${pid}/mountinfo`)]);
      const root = mounts.split('\n').find((line) => line.split(' ')[4] === '/') ?? '';
      return inside.has(pid) || root.includes(`${folder}/`) ? [{ pid: Number(pid), name }] : [];
    }),
  );
  return found.flat();
}

const read = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');

function end(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It was faster.
  }
}

/** Takes away what is mounted under the folder, the last one first; answers how much there was. */
async function unmounted(folder: string): Promise<number> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((place) => place.startsWith(`${folder}/`));
  for (const place of mounts.reverse()) await run('umount', '--lazy', place).catch(() => undefined);
  return mounts.length;
}
