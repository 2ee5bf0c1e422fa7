/** Finds what FLUKEDEPLOY_PLUGINS names: a folder, a file or an npm package. None of its code is run for that. */
import { existsSync, statSync } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { findPackageJSON } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DeployError } from '../../domain/errors.js';
import type { PluginEntry } from './protocol.js';

/** Where names of plugins are looked up. */
export interface PluginPlaces {
  /** Relative paths and packages. */
  readonly workingFolder: string;
  /** Packages, in its folder `plugins`. */
  readonly dataFolder: string;
}

export interface PluginLocation extends PluginEntry {
  /** As it was configured. */
  readonly label: string;
  readonly version: string;
  /** What its code may read: itself, and the packages that it can import. */
  readonly readable: readonly string[];
}

const ENTRIES = ['plugin.ts', 'index.ts', 'plugin.js', 'index.js'] as const;
const FILE = /\.(?:ts|mts|js|mjs)$/;
const PACKAGE = /^(?:@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/;
const UNKNOWN_VERSION = '0.0.0';

/** What exists as a path is one; any other name is a package. @throws DeployError `plugin_invalid` */
export async function locatePlugin(label: string, places: PluginPlaces): Promise<PluginLocation> {
  const path = await realpath(resolve(places.workingFolder, label)).catch(() => undefined);
  if (path === undefined) return PACKAGE.test(label) ? packageLocation(label, places) : missing(label);
  return (await stat(path)).isDirectory() ? folderLocation(label, path) : fileLocation(label, path);
}

async function folderLocation(label: string, folder: string): Promise<PluginLocation> {
  const description = await packageDescription(label, join(folder, 'package.json'));
  const found = {
    label,
    folder,
    version: description?.version ?? UNKNOWN_VERSION,
    readable: [folder, ...nodeModulesAbove(folder)],
    from: pathToFileURL(join(folder, 'package.json')).href,
  };
  if (description?.exports !== undefined) {
    // Node resolves exports of a package by its name only, from inside as well.
    if (description.name === undefined) throw invalid(label, 'its package.json has exports, and no name');
    return { ...found, specifier: description.name };
  }
  const main = description?.main;
  const candidates = main === undefined ? ENTRIES : [main, `${main}.js`, `${main}/index.js`];
  const entry = candidates.map((candidate) => join(folder, candidate)).find(isFile);
  if (entry === undefined)
    throw invalid(
      label,
      main === undefined
        ? `it has no entry: neither exports nor main in a package.json, nor ${ENTRIES.join(', ')}`
        : `its package.json names ${main} as main, which is no file`,
    );
  return { ...found, specifier: pathToFileURL(entry).href };
}

async function fileLocation(label: string, file: string): Promise<PluginLocation> {
  if (!FILE.test(file)) throw invalid(label, 'it is neither a folder nor a .ts, .mts, .js or .mjs file');
  const folder = dirname(file);
  const { href } = pathToFileURL(file);
  // Only itself: what else is in the folder may be anything.
  const readable = [file, ...nodeModulesAbove(folder)];
  return { label, folder, version: UNKNOWN_VERSION, readable, specifier: href, from: href };
}

async function packageLocation(label: string, { workingFolder, dataFolder }: PluginPlaces): Promise<PluginLocation> {
  for (const base of [workingFolder, join(dataFolder, 'plugins')]) {
    const from = pathToFileURL(join(resolve(base), 'package.json')).href;
    const file = installedDescription(label, from);
    if (file === undefined) continue;
    const description = await packageDescription(label, file);
    const folder = await realpath(dirname(file));
    const readable = [...new Set([folder, dirname(file), ...nodeModulesAbove(folder), ...nodeModulesAbove(base)])];
    return { label, folder, version: description?.version ?? UNKNOWN_VERSION, readable, specifier: label, from };
  }
  return missing(label);
}

function installedDescription(name: string, from: string): string | undefined {
  try {
    return findPackageJSON(name, from);
  } catch {
    return undefined;
  }
}

/** Every `node_modules` in which Node looks for what is imported from the folder. */
export function nodeModulesAbove(folder: string): readonly string[] {
  const above = dirname(folder);
  const here = join(folder, 'node_modules');
  return [...(existsSync(here) ? [here] : []), ...(above === folder ? [] : nodeModulesAbove(above))];
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

interface Description {
  readonly name?: string;
  readonly version?: string;
  readonly main?: string;
  readonly exports?: unknown;
}

async function packageDescription(label: string, file: string): Promise<Description | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const told = parsed(text);
  if (typeof told !== 'object' || told === null) throw invalid(label, 'its package.json is not a JSON object');
  const { name, version, main, exports } = told as Record<string, unknown>;
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof version === 'string' && { version }),
    ...(typeof main === 'string' && { main }),
    ...(exports !== undefined && { exports }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function missing(label: string): never {
  throw invalid(label, 'there is no such folder or file, and no package of this name is installed');
}

function invalid(label: string, reason: string): DeployError {
  return new DeployError('plugin_invalid', `${label}: ${reason}`);
}
