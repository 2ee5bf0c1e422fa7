/** Writes the folder of a new plugin from the files in templates/plugin. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './failures.js';

const INSTALLATION = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '');
const TEMPLATE = join(INSTALLATION, 'templates', 'plugin');

/** @throws UsageError when there is something in the folder already, and when it cannot be written */
export async function writePlugin(name: string, folder: string): Promise<void> {
  await makeEmpty(folder);
  const values = { name, installation: INSTALLATION };
  for (const file of await readdir(TEMPLATE)) {
    const text = filled(await readFile(join(TEMPLATE, file), 'utf8'), values, extname(file));
    await writeFile(join(folder, file), text, { flag: 'wx' });
  }
}

async function makeEmpty(folder: string): Promise<void> {
  let found: string[];
  try {
    await mkdir(folder, { recursive: true });
    found = await readdir(folder);
  } catch (error) {
    throw new UsageError(`folder: ${folder} cannot be made: ${(error as Error).message}`);
  }
  if (found.length > 0) throw new UsageError(`folder: ${folder} is not empty`);
}

/** `{{name}}` is what the values say, written as the kind of file demands. */
function filled(text: string, values: Readonly<Record<string, string>>, kind: string): string {
  return text.replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
    const value = values[key] ?? '';
    return kind === '.json' ? JSON.stringify(value).slice(1, -1) : value;
  });
}
