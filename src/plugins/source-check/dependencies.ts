/** Are the dependencies pinned? Each ecosystem is a row: which file asks for dependencies, and which one pins them. */
import type { Found } from './findings.js';
import { NODE_LOCKFILES, nodeLockfileFindings } from './node-lockfiles.js';
import type { ReadText } from './source-folder.js';

interface Ecosystem {
  readonly manifest: string;
  /** Tells a manifest that needs a lockfile from one that does not. */
  readonly needsOne: RegExp;
  /** Any of them will do. */
  readonly lockfiles: readonly string[];
}

/** Only at the top of the source: below it, a workspace's lockfile may stand anywhere above. */
const ECOSYSTEMS: readonly Ecosystem[] = [
  {
    manifest: 'package.json',
    needsOne: /"(?:d|devD|optionalD)ependencies"\s*:\s*\{\s*"/,
    lockfiles: Object.keys(NODE_LOCKFILES),
  },
  { manifest: 'pyproject.toml', needsOne: /^\[tool\.poetry\b/m, lockfiles: ['poetry.lock'] },
  { manifest: 'pyproject.toml', needsOne: /^\[tool\.uv\b/m, lockfiles: ['uv.lock'] },
  { manifest: 'pyproject.toml', needsOne: /^\[tool\.pdm\b/m, lockfiles: ['pdm.lock'] },
  { manifest: 'Pipfile', needsOne: /^\[(?:dev-)?packages\]/m, lockfiles: ['Pipfile.lock'] },
  { manifest: 'go.mod', needsOne: /^\s*require\b/m, lockfiles: ['go.sum'] },
  { manifest: 'Cargo.toml', needsOne: /^\[.*\bdependencies\b.*\]/m, lockfiles: ['Cargo.lock'] },
  { manifest: 'Gemfile', needsOne: /^\s*gem\b/m, lockfiles: ['Gemfile.lock'] },
  { manifest: 'composer.json', needsOne: /"require(?:-dev)?"\s*:\s*\{\s*"/, lockfiles: ['composer.lock'] },
];

const REQUIREMENTS = 'requirements.txt';
const NAMED_PACKAGES = 5;

export async function dependencyFindings(read: ReadText): Promise<Found[]> {
  const missing = await Promise.all(ECOSYSTEMS.map((ecosystem) => missingLockfile(ecosystem, read)));
  return [
    ...missing.flat(),
    ...(await nodeLockfileFindings(read)),
    ...requirementFindings((await read(REQUIREMENTS)) ?? ''),
  ];
}

async function missingLockfile({ manifest, needsOne, lockfiles }: Ecosystem, read: ReadText): Promise<Found[]> {
  if (!needsOne.test((await read(manifest)) ?? '')) return [];
  for (const lockfile of lockfiles) if ((await read(lockfile)) !== undefined) return [];
  const message = `${manifest} asks for dependencies, and there is no ${lockfiles.join(' or ')}.`;
  return [{ code: 'lockfile_missing', place: manifest, message }];
}

/** `name==1.2`; options, links, files and what continues a line above need no version. */
function requirementFindings(text: string): Found[] {
  const lines = text.split('\n').map((line) => line.replace(/(?:^|\s)#.*$/, '').trim());
  const unpinned = lines.flatMap((line, index) => {
    const name = /^([A-Za-z0-9][\w.-]*(?:\[[^\]]*\])?)\s*(?:[<>=!~;].*)?\\?$/.exec(line)?.[1];
    return name === undefined || line.includes('==') ? [] : [{ name, line: index + 1 }];
  });
  const [first] = unpinned;
  if (first === undefined) return [];
  const names = unpinned.slice(0, NAMED_PACKAGES).map(({ name }) => name);
  const others = unpinned.length > NAMED_PACKAGES ? ` and ${unpinned.length - NAMED_PACKAGES} more` : '';
  const message = `Without a version of their own: ${names.join(', ')}${others}.`;
  return [{ code: 'requirements_unpinned', place: `${REQUIREMENTS}:${first.line}`, message }];
}
