/** Decides entry by entry what of an untrusted archive may reach the disk, and remembers what that depends on. */
import { isContainedLink, pathProblem, plainPath } from '../../domain/contained-path.js';
import { DeployError } from '../../domain/errors.js';

/** What a header says of its entry. */
export interface ArchiveEntry {
  readonly path: string;
  readonly type: string;
  readonly linkpath?: string | undefined;
}

const FILES = ['File', 'OldFile', 'ContiguousFile'];

/**
 * Symbolic links are noted here and made after all files: while files are written, there is no link they could be
 * written through. An archive that puts anything at or below the path of one of its links is refused.
 */
export class EntryLedger {
  readonly #links = new Map<string, string>();
  /** Every path that the archive makes: of its entries and of the folders above them. */
  readonly #places = new Set<string>();
  #entries = 0;

  constructor(private readonly maxEntries: number) {}

  get entries(): number {
    return this.#entries;
  }

  /** Path and target of every link, in the order of the archive. */
  get links(): ReadonlyMap<string, string> {
    return this.#links;
  }

  /**
   * Whether the entry shall be unpacked now.
   * @throws DeployError `archive_unsafe`, `archive_too_large`
   */
  admit(entry: ArchiveEntry): boolean {
    this.#entries += 1;
    const problem = pathProblem(entry.path);
    if (problem !== undefined) throw unsafe(entry.path, problem);
    const path = plainPath(entry.path);

    if (entry.type === 'Directory') {
      if (path !== '') this.#occupy(path);
      return true;
    }
    if (path === '') throw unsafe(entry.path, 'takes the place of the whole folder');
    if (FILES.includes(entry.type)) {
      this.#occupy(path);
      return true;
    }
    if (entry.type !== 'SymbolicLink')
      throw unsafe(entry.path, `is not a file, folder or symbolic link (${entry.type})`);
    this.#noteLink(path, entry.linkpath ?? '');
    return false;
  }

  #noteLink(path: string, target: string): void {
    if (!isContainedLink(path, target)) throw unsafe(path, `is a link that leaves the folder: ${quoted(target)}`);
    if (this.#places.has(path)) throw unsafe(path, 'is a link in the place of another entry');
    this.#occupy(path);
    this.#links.set(path, target);
  }

  #occupy(path: string): void {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const place = path.slice(0, end);
      if (this.#links.has(place)) throw unsafe(path, `is written through the link ${quoted(place)}`);
      this.#places.add(place);
    }
    if (Math.max(this.#entries, this.#places.size) > this.maxEntries) {
      throw new DeployError('archive_too_large', `The archive holds more than ${this.maxEntries} entries.`);
    }
  }
}

export const unsafe = (path: string, problem: string) =>
  new DeployError('archive_unsafe', `The archive's entry ${quoted(path)} ${problem}.`);

/** Escaped and cut, so that a hostile name can be shown. */
const quoted = (text: string) => JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
