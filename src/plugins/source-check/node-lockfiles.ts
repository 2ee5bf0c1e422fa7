/** Does the lockfile of npm, yarn, pnpm or bun still say what package.json says? */
import { z } from '../../plugin/index.js';
import type { Found } from './findings.js';
import type { ReadText } from './source-folder.js';

/** Whether the lockfile pins the dependency as package.json asks for it. */
type Locked = (name: string, range: string) => boolean;

interface Lockfile {
  readonly manager: 'npm' | 'yarn' | 'pnpm' | 'bun';
  /** Absent where the format cannot be read; throws when the text is not of it. */
  readonly parse?: (text: string) => Locked;
}

export const NODE_LOCKFILES: Readonly<Record<string, Lockfile>> = {
  'package-lock.json': { manager: 'npm', parse: parseNpm },
  'npm-shrinkwrap.json': { manager: 'npm', parse: parseNpm },
  'yarn.lock': { manager: 'yarn', parse: parseYarn },
  'pnpm-lock.yaml': { manager: 'pnpm', parse: parsePnpm },
  'bun.lock': { manager: 'bun', parse: parseBun },
  'bun.lockb': { manager: 'bun' },
};

const ranges = z.record(z.string(), z.string()).optional();
const manifest = z.object({ dependencies: ranges, devDependencies: ranges, optionalDependencies: ranges });
type Manifest = z.infer<typeof manifest>;

/** These come from the source itself, and not every lockfile names them. */
const LOCAL = /^(?:file|link|portal|workspace):/;

const NAMED_PACKAGES = 5;

export async function nodeLockfileFindings(read: ReadText): Promise<Found[]> {
  const text = await read('package.json');
  if (text === undefined) return [];
  const asked = attempt(() => manifest.parse(JSON.parse(text)));
  if (asked === undefined) {
    return [{ code: 'manifest_invalid', place: 'package.json', message: 'package.json cannot be read.' }];
  }
  const lockfiles = await presentLockfiles(read);
  return [...mixedLockfiles(lockfiles), ...lockfiles.flatMap((lockfile) => differences(asked, lockfile))];
}

interface PresentLockfile extends Lockfile {
  readonly name: string;
  readonly text: string;
}

async function presentLockfiles(read: ReadText): Promise<PresentLockfile[]> {
  const all = await Promise.all(
    Object.entries(NODE_LOCKFILES).map(async ([name, lockfile]) => ({ ...lockfile, name, text: await read(name) })),
  );
  return all.flatMap(({ text, ...lockfile }) => (text === undefined ? [] : [{ ...lockfile, text }]));
}

function mixedLockfiles(lockfiles: readonly PresentLockfile[]): Found[] {
  const [first] = lockfiles;
  const other = lockfiles.find(({ manager }) => manager !== first?.manager);
  if (first === undefined || other === undefined) return [];
  const message = `${first.name} and ${other.name} pin the same dependencies, each in its own way.`;
  return [{ code: 'lockfiles_mixed', place: other.name, message }];
}

function differences(asked: Manifest, { name: place, text, parse }: PresentLockfile): Found[] {
  if (parse === undefined) return [];
  const locked = attempt(() => parse(text));
  if (locked === undefined) return [{ code: 'lockfile_invalid', place, message: `${place} cannot be read.` }];
  const stale = Object.entries(allRanges(asked))
    .filter(([name, range]) => !LOCAL.test(range) && !locked(name, range))
    .map(([name, range]) => `${name}@${range}`);
  if (stale.length === 0) return [];
  const others = stale.length > NAMED_PACKAGES ? ` and ${stale.length - NAMED_PACKAGES} more` : '';
  const message = `package.json asks for what ${place} does not hold: ${stale.slice(0, NAMED_PACKAGES).join(', ')}${others}.`;
  return [{ code: 'lockfile_stale', place, message }];
}

/** The root package stands in the file as it was when it was made. The oldest form has names only. */
function parseNpm(text: string): Locked {
  const { packages, dependencies } = z
    .object({
      packages: z.object({ '': manifest }).optional(),
      dependencies: z.record(z.string(), z.unknown()).optional(),
    })
    .parse(JSON.parse(text));
  return packages === undefined ? (name) => name in (dependencies ?? {}) : equalTo(allRanges(packages['']));
}

/** JSON with commas before closing brackets; its first workspace is the root package. */
function parseBun(text: string): Locked {
  const { workspaces } = z
    .object({ workspaces: z.object({ '': manifest }) })
    .parse(JSON.parse(text.replace(/,(?=\s*[}\]])/g, '')));
  return equalTo(allRanges(workspaces['']));
}

/** An entry begins with all ranges that it answers: `"a@^1.0.0", a@^1.2.0:`, since version 2 `"a@npm:^1.0.0"`. */
function parseYarn(text: string): Locked {
  if (!/^# yarn lockfile|^__metadata:/m.test(text)) throw new Error('not of yarn');
  const entries = [...text.matchAll(/^"?(@?[^\s#@"][^\n]*):$/gm)];
  const held = new Set(entries.flatMap(([, key = '']) => key.replaceAll('"', '').split(/,\s*/)));
  const names = new Set([...held].map((range) => range.slice(0, range.indexOf('@', 1))));
  // A range with a protocol is written in many ways, so the name has to do.
  return (name, range) =>
    range.includes(':') ? names.has(name) : held.has(`${name}@${range}`) || held.has(`${name}@npm:${range}`);
}

/** The root package is the importer `.`; a project without others has its dependencies at the top. */
function parsePnpm(text: string): Locked {
  if (!/^lockfileVersion:/m.test(text)) throw new Error('not of pnpm');
  const root = /^ {2}\.:\n((?: {4}.*\n|\n)*)/m.exec(text)?.[1] ?? text;
  const entries = root.matchAll(/^ +'?([^\s':]+)'?:\n +specifier: (.+)$/gm);
  const held = new Map(
    Array.from(entries, ([, name = '', range = '']) => [name, range.replace(/^(['"])(.*)\1$/, '$2')]),
  );
  // Where versions are overridden, the file holds those instead of what package.json says.
  return /^overrides:/m.test(text) ? (name) => held.has(name) : (name, range) => held.get(name) === range;
}

const allRanges = ({ dependencies, devDependencies, optionalDependencies }: Manifest): Record<string, string> => ({
  ...devDependencies,
  ...dependencies,
  ...optionalDependencies,
});

const equalTo =
  (held: Readonly<Record<string, string>>): Locked =>
  (name, range) =>
    held[name] === range;

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
