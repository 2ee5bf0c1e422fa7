/** Bytes as they are, or decompressed where they begin as gzip does. */
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { DeployError } from '../../domain/errors.js';

const GZIP = Buffer.from([0x1f, 0x8b]);

/** @throws DeployError `archive_invalid` for what is compressed twice, as only bombs are */
export async function* gunzipped(archive: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const outer = await lookAt(archive);
  if (!outer.isGzip) {
    yield* outer.chunks;
    return;
  }

  // Errors of these streams surface where the last of them is read.
  const gunzip = pipeline(Readable.from(outer.chunks), createGunzip(), () => undefined);
  try {
    const inner = await lookAt(gunzip);
    if (inner.isGzip) throw new DeployError('archive_invalid', 'The archive is compressed more than once.');
    yield* inner.chunks;
  } finally {
    gunzip.destroy();
  }
}

/** Whether the bytes begin as gzip does; `chunks` still holds all of them. */
async function lookAt(source: AsyncIterable<Uint8Array>) {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < GZIP.length) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return { isGzip: head.subarray(0, GZIP.length).equals(GZIP), chunks: joined(head, iterator) };
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    await rest.return?.();
  }
}
