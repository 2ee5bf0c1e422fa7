/** Files for the edge's container as the tar archive that Docker unpacks there. */
import { Header } from 'tar';

export interface EdgeFile {
  /** Below the folder that the archive is unpacked in; a folder ends with `/`. */
  readonly path: string;
  readonly body?: string;
}

const BLOCK_BYTES = 512;

/** Readable by root only: nginx' master reads them before it gives up its rights. */
export function archiveOf(files: readonly EdgeFile[]): Buffer {
  return Buffer.concat([...files.flatMap(entry), Buffer.alloc(2 * BLOCK_BYTES)]);
}

function entry({ path, body = '' }: EdgeFile): Buffer[] {
  const bytes = Buffer.from(body);
  const folder = path.endsWith('/');
  const block = Buffer.alloc(BLOCK_BYTES);
  const header = new Header({
    path,
    type: folder ? 'Directory' : 'File',
    mode: folder ? 0o700 : 0o600,
    size: bytes.length,
    mtime: new Date(),
    uid: 0,
    gid: 0,
  });
  header.encode(block);
  const filling = (BLOCK_BYTES - (bytes.length % BLOCK_BYTES)) % BLOCK_BYTES;
  return [block, bytes, Buffer.alloc(filling)];
}
