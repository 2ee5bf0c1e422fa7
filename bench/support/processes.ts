/** What processes cost, from Linux's /proc. */
import { readdir, readFile } from 'node:fs/promises';

/** Of `times` in /proc/<pid>/stat; 100 a second on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  readonly cpuSeconds: number;
}

/** The process and everything it has started. */
export async function family(pid: number): Promise<ProcessStat[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = (await Promise.all(pids.map(statOf))).filter((stat) => stat !== undefined);
  const members = all.filter((stat) => stat.pid === pid);
  for (const { pid: parent } of members) members.push(...all.filter((stat) => stat.parent === parent));
  return members;
}

export async function cpuSeconds(pid: number): Promise<number> {
  return (await family(pid)).reduce((sum, stat) => sum + stat.cpuSeconds, 0);
}

/** Resident megabytes of one process. */
export async function residentMegabytes(pid: number): Promise<number> {
  return memoryField(pid, 'Rss');
}

/** Megabytes of everything it has started; what those share is counted once, as PostgreSQL's processes share most. */
export async function childrenMegabytes(pid: number): Promise<number> {
  const children = (await family(pid)).filter((stat) => stat.pid !== pid);
  const shares = await Promise.all(children.map((child) => memoryField(child.pid, 'Pss')));
  return shares.reduce((sum, share) => sum + share, 0);
}

async function memoryField(pid: number, field: 'Rss' | 'Pss'): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
  return Number(kilobytes) / 1024;
}

/** `undefined`: it has ended meanwhile. */
async function statOf(pid: number): Promise<ProcessStat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name, in brackets, may hold anything; after it come state, parent, …, user and system time.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 14) return undefined;
  return { pid, parent: Number(fields[1]), cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND };
}
