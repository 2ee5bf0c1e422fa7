/** Unpacks untrusted tar and tar.gz archives as a stream: checked before anything is written, bounded, all or nothing. */
import { once } from 'node:events';
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadEntry, Unpack } from 'tar';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';
import { Archives } from '../../domain/ports.js';
import { EntryLedger, unsafe } from './entry-ledger.js';
import { gunzipped } from './gunzipped.js';

/** A tar archive is a row of blocks of this many bytes. */
const BLOCK = 512;

export interface TarArchivesOptions {
  /** How long the unpacked tar stream may be, headers included. */
  readonly maxBytes: number;
  /** How many entries, and folders that their names imply, it may hold. */
  readonly maxEntries?: number;
}

export class TarArchives extends Archives {
  constructor(private readonly options: TarArchivesOptions) {
    super();
  }

  /** The folder must be empty or not exist yet; after a failure it does not exist. */
  override async extract(archive: AsyncIterable<Uint8Array>, folder: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length > 0) throw new Error(`the folder ${folder} is not empty`);

    try {
      const ledger = new EntryLedger(this.options.maxEntries ?? LIMITS.archive_entries);
      const unpack = (bytes: AsyncIterable<Uint8Array>) => this.#unpack(bytes, folder, ledger, signal);
      await pipeline(Readable.from(archive), gunzipped, unpack, { signal });
      await makeLinks(ledger.links, folder, signal);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      signal.throwIfAborted();
      throw asDeployError(error);
    }
  }

  async #unpack(bytes: AsyncIterable<Uint8Array>, folder: string, ledger: EntryLedger, signal: AbortSignal) {
    const { maxBytes } = this.options;
    const unpacking = new Unpacking(folder, ledger);
    let length = 0;
    try {
      for await (const chunk of bytes) {
        length += chunk.length;
        if (length > maxBytes) {
          throw new DeployError('archive_too_large', `The archive unpacks to more than ${maxBytes} bytes.`);
        }
        await unpacking.write(chunk, signal);
      }
    } finally {
      await unpacking.close();
    }
    unpacking.requireComplete();
  }
}

/** The tar library with its events turned into one failure. It writes no links: the ledger keeps those. */
class Unpacking {
  readonly #unpack: Unpack;
  readonly #closed: Promise<void>;
  #length = 0;
  #complete = false;
  #failure: Error | undefined;

  constructor(
    folder: string,
    private readonly ledger: EntryLedger,
  ) {
    // Strict: whatever the library would only warn of is a failure. It may not decompress: that would escape the count.
    this.#unpack = new Unpack({
      cwd: folder,
      strict: true,
      preserveOwner: false,
      brotli: false,
      zstd: false,
      filter: (_path, entry) => entry instanceof ReadEntry && this.#admit(entry),
    });
    this.#unpack.on('error', (error) => this.#fail(error));
    this.#unpack.on('meta', (text: string) => {
      // The library would cut the name there.
      const [, name] = /^\d+ (?:link)?path=([^\n\0]*)\0/m.exec(text) ?? [];
      if (name !== undefined) this.#fail(unsafe(name, 'has a NUL in its name'));
    });
    this.#unpack.on('ignoredEntry', (entry: ReadEntry) => {
      if (entry.type !== 'SymbolicLink') this.#fail(unsafe(entry.path, `is of an unknown kind (${entry.type})`));
    });
    this.#unpack.on('eof', () => (this.#complete = true));
    this.#closed = new Promise((resolve) => this.#unpack.once('close', () => resolve()));
  }

  /** Takes the chunk and waits until the disk has kept up. Bytes after the end of the archive are passed over. */
  async write(chunk: Uint8Array, signal: AbortSignal): Promise<void> {
    this.#length += chunk.length;
    const flowing = this.#complete || this.#unpack.write(Buffer.from(chunk));
    if (this.#failure) throw this.#failure;
    if (!flowing) await once(this.#unpack, 'drain', { signal });
  }

  /** Closes the file that is being written, and waits for the disk: nothing happens in the folder afterwards. */
  async close(): Promise<void> {
    // Ended within a block, the library can throw and leave its file open.
    const missing = -this.#length & (BLOCK - 1);
    if (!this.#complete && missing > 0) this.#unpack.write(Buffer.alloc(missing));
    this.#unpack.end();
    await this.#closed;
  }

  /** @throws Error the first one that came up, DeployError `archive_invalid` */
  requireComplete(): void {
    if (this.#failure) throw this.#failure;
    if (this.ledger.entries === 0) throw new DeployError('archive_invalid', 'The archive is empty.');
    if (!this.#complete) throw new DeployError('archive_invalid', 'The archive is cut off: its end is missing.');
  }

  #admit(entry: ReadEntry): boolean {
    // Without the bits that give a program another's rights; with those that let us read and remove it.
    entry.mode = ((entry.mode ?? 0) & 0o777) | (entry.type === 'Directory' ? 0o700 : 0o600);
    try {
      return this.#failure === undefined && this.ledger.admit(entry);
    } catch (error) {
      // Thrown inside the library, an error would leave it half-way and its files open.
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error as Error;
  }
}

async function makeLinks(links: ReadonlyMap<string, string>, folder: string, signal: AbortSignal): Promise<void> {
  for (const [path, target] of links) {
    signal.throwIfAborted();
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await symlink(target, join(folder, path));
  }
}

/** Codes of the disk that the archive's own names cause, such as a file below another file. */
const CAUSED_BY_NAMES = ['EEXIST', 'EISDIR', 'ENOTDIR', 'ENOTEMPTY', 'ENAMETOOLONG'];

/** Errors of the library, of zlib and of the disk as what they say about the archive; all others stay what they are. */
function asDeployError(error: unknown): unknown {
  if (error instanceof DeployError) return error;
  const { code = '', tarCode, syscall, message } = error as NodeJS.ErrnoException & { tarCode?: string };
  const refusedByLibrary = tarCode !== undefined && syscall === undefined;
  if (refusedByLibrary || code.startsWith('Z_') || CAUSED_BY_NAMES.includes(code)) {
    return new DeployError('archive_invalid', `The archive cannot be unpacked: ${message}`, { cause: error });
  }
  return error;
}
