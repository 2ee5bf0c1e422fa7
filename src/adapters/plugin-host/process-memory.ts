/** Watches how much memory a process of ours holds, where the system tells it. */
import { readFile } from 'node:fs/promises';
import { HOST_LIMITS } from './host-limits.js';

/** Answers how to stop watching. */
export function watchMemory(pid: number, exceeded: () => void): () => void {
  const look = async (): Promise<void> => {
    const bytes = await residentBytes(pid);
    if (bytes !== undefined && bytes > HOST_LIMITS.memory_bytes) exceeded();
  };
  const timer = setInterval(() => void look(), HOST_LIMITS.memory_watch_ms);
  return () => clearInterval(timer);
}

/** `status` tells it in kB; `statm` counts pages, whose size differs between machines. */
async function residentBytes(pid: number): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
