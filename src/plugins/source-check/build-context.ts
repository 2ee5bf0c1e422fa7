/** What is sent to the build although it should not be: too much of it, things it does not need, files that hold secrets. */
import type { FindingCode, Found } from './findings.js';
import type { SourceFile } from './source-folder.js';

export interface ContextLimits {
  readonly max_total_mb: number;
  readonly max_file_mb: number;
  readonly max_files: number;
}

interface Advice {
  readonly code: FindingCode;
  readonly what: string;
  /** The first group is the path that a person would write into .dockerignore. */
  readonly path: RegExp;
}

/** `.env.example` and its kind are meant to be seen. */
const ENV_FILE = /^((?:.*\/)?\.env(?:\.(?!example|sample|template|dist|defaults)[^/]+)?)$/;

const ADVICE: readonly Advice[] = [
  { code: 'context_unneeded', what: 'the history of git', path: /^((?:.*?\/)?\.git)(?:\/|$)/ },
  { code: 'context_unneeded', what: 'installed npm packages', path: /^((?:.*?\/)?node_modules)\// },
  { code: 'context_unneeded', what: 'a virtual environment of Python', path: /^((?:.*?\/)?\.?venv)\// },
  { code: 'context_sensitive', what: 'an environment file', path: ENV_FILE },
  { code: 'context_sensitive', what: 'a key or certificate', path: /^(.*\.(?:pem|key|p12|pfx|jks))$/i },
  { code: 'context_sensitive', what: 'an SSH key', path: /^((?:.*\/)?id_(?:rsa|dsa|ecdsa|ed25519))$/ },
];

const MEGABYTE = 1024 * 1024;
const NAMED_FILES = 5;

export function contextFindings(files: readonly SourceFile[], limits: ContextLimits): Found[] {
  return [...sizeFindings(files, limits), ...ADVICE.flatMap((advice) => adviceFindings(files, advice))];
}

function adviceFindings(files: readonly SourceFile[], { code, what, path }: Advice): Found[] {
  const places = new Set(files.flatMap((file) => path.exec(file.path)?.[1] ?? []));
  const [first] = places;
  if (first === undefined) return [];
  const others = places.size > 1 ? `, and ${places.size - 1} more like it` : '';
  return [{ code, place: first, message: `The build is sent ${what}: ${first}${others}.` }];
}

function sizeFindings(files: readonly SourceFile[], limits: ContextLimits): Found[] {
  const found: Found[] = [];
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total > limits.max_total_mb * MEGABYTE) {
    const message = `The build is sent ${size(total)}, more than ${limits.max_total_mb} MB: ${biggest(files)}.`;
    found.push({ code: 'context_too_large', place: '.', message });
  }
  const large = files.filter(({ bytes }) => bytes > limits.max_file_mb * MEGABYTE);
  const [largest] = bySize(large);
  if (largest !== undefined) {
    const message = `Larger than ${limits.max_file_mb} MB: ${biggest(large)}.`;
    found.push({ code: 'file_too_large', place: largest.path, message });
  }
  if (files.length > limits.max_files) {
    const message = `The build is sent ${files.length} files, more than ${limits.max_files}: ${fullest(files)}.`;
    found.push({ code: 'context_too_many_files', place: '.', message });
  }
  return found;
}

const bySize = (files: readonly SourceFile[]) => files.toSorted((a, b) => b.bytes - a.bytes);

const biggest = (files: readonly SourceFile[]): string =>
  bySize(files)
    .slice(0, NAMED_FILES)
    .map(({ path, bytes }) => `${path} (${size(bytes)})`)
    .join(', ');

/** The top folders with the most files. */
function fullest(files: readonly SourceFile[]): string {
  const counts = Object.entries(Object.groupBy(files, ({ path }) => path.split('/', 1)[0] ?? path));
  return counts
    .map(([folder, inside = []]) => ({ folder, count: inside.length }))
    .toSorted((a, b) => b.count - a.count)
    .slice(0, NAMED_FILES)
    .map(({ folder, count }) => `${folder} (${count})`)
    .join(', ');
}

const size = (bytes: number) => `${(bytes / MEGABYTE).toFixed(1)} MB`;
