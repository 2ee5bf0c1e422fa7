/** Starts a baseline that is a process of its own; the first thing it says is its URL. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export async function startBaseline(
  scope: AsyncDisposableStack,
  name: string,
): Promise<{ readonly url: string; readonly process: ChildProcess }> {
  const child = fork(fileURLToPath(new URL(`../baselines/${name}`, import.meta.url)), { serialization: 'advanced' });
  scope.defer(async () => {
    const exit = once(child, 'exit');
    if (child.kill('SIGKILL')) await exit;
  });
  const [url] = (await once(child, 'message')) as [string];
  return { url, process: child };
}
