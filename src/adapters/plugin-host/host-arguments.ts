/** How Node is told to run a plugin: bounded memory, and permission to read its own files and nothing more. */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HOST_LIMITS } from './host-limits.js';
import { nodeModulesAbove, type PluginLocation } from './plugin-location.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** What was built: Node alone cannot run our TypeScript, which has decorators. */
const PROGRAM = join(ROOT, 'dist/adapters/plugin-host/host.process.js');
const OURS = [join(ROOT, 'dist'), join(ROOT, 'package.json'), ...nodeModulesAbove(ROOT)];

export function hostArguments({ readable }: PluginLocation, workspace: string | undefined): string[] {
  const folders = [...OURS, ...readable, ...(workspace === undefined ? [] : [workspace])];
  // A linked folder is checked by the name that is used, and by the one that it has.
  const readablePaths = new Set(folders.filter(existsSync).flatMap((folder) => [folder, realpathSync(folder)]));
  return [
    '--permission',
    ...[...readablePaths].map((path) => `--allow-fs-read=${path}`),
    // It opens files past the permissions.
    '--no-experimental-sqlite',
    `--max-old-space-size=${HOST_LIMITS.heap_megabytes}`,
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
    PROGRAM,
  ];
}
