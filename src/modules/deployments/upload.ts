/** Reads `multipart/form-data`: the part `spec` as JSON, the part `source` streamed to disk, never held in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import busboy from 'busboy';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';

const STALE_MS = 24 * 60 * 60 * 1000;

export interface UploadedArchive {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Upload {
  readonly spec: unknown;
  readonly archive: UploadedArchive | undefined;
}

/** What has come so far; an archive may still be on its way to the disk. */
interface Parts {
  spec?: unknown;
  archive?: Promise<UploadedArchive>;
}

export class UploadOptions {
  constructor(
    readonly directory: string,
    readonly limit_bytes: number,
  ) {}
}

@Injectable()
export class Uploads {
  constructor(private readonly options: UploadOptions) {}

  /** Removes uploads whose request was cut off by the death of its process; a living one is never that old. */
  async sweep(): Promise<void> {
    const names = await readdir(this.options.directory).catch(() => []);
    for (const path of names.map((name) => join(this.options.directory, name))) {
      if (Date.now() - (await stat(path)).mtimeMs > STALE_MS) await rm(path, { force: true });
    }
  }

  /** The file belongs to the caller, who removes it; on an error nothing is left. */
  async read(request: IncomingMessage): Promise<Upload> {
    await mkdir(this.options.directory, { recursive: true, mode: 0o700 });
    const path = join(this.options.directory, randomUUID());
    const parts: Parts = {};
    try {
      await this.#collect(request, path, parts);
      if (parts.spec === undefined) throw new DeployError('malformed_multipart', 'The part spec is missing.');
      return { spec: parts.spec, archive: await parts.archive };
    } catch (error) {
      // A file that is still being written would come back after its removal.
      await parts.archive?.catch(() => undefined);
      await rm(path, { force: true });
      // What is left of the body must be read, or the client never gets to see the answer.
      request.unpipe();
      request.resume();
      throw toDeployError(error);
    }
  }

  /** Ends when the body has been read, or with the first error, which ends the writing of the file too. */
  async #collect(request: IncomingMessage, path: string, parts: Parts): Promise<void> {
    const parser = openParser(request);
    const refuse = (error: unknown): void => void parser.destroy(error as Error);
    parser.on('field', (name, text, { valueTruncated }) => {
      if (name !== 'spec' || parts.spec !== undefined) refuse(unknownPart(name));
      else if (valueTruncated) refuse(new DeployError('payload_too_large', 'The part spec is larger than 1 MB.'));
      else parts.spec = parseSpec(text, refuse);
    });
    parser.on('file', (name, stream) => {
      if (name === 'source' && parts.archive === undefined && !parser.destroyed) {
        parts.archive = this.#store(stream, path);
        parts.archive.catch(refuse);
        return;
      }
      stream.on('error', () => undefined).resume();
      refuse(unknownPart(name));
    });
    finished(request).catch(() => refuse(new DeployError('malformed_multipart', 'The upload was cut off.')));
    await finished(request.pipe(parser));
  }

  async #store(stream: Readable, path: string): Promise<UploadedArchive> {
    const hash = createHash('sha256');
    const { limit_bytes } = this.options;
    let bytes = 0;
    const measure = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        hash.update(chunk);
        if (bytes > limit_bytes)
          done(new DeployError('payload_too_large', `The archive is larger than ${limit_bytes / 1024 / 1024} MB.`));
        else done(null, chunk);
      },
    });
    await pipeline(stream, measure, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
    if (bytes === 0) {
      const fields = [{ path: 'source', message: 'is empty' }];
      throw new DeployError('source_unusable', 'The part source is empty.', { fields });
    }
    return { path, bytes, sha256: hash.digest('hex') };
  }
}

function openParser(request: IncomingMessage): busboy.Busboy {
  try {
    return busboy({
      headers: request.headers,
      limits: { fieldSize: LIMITS.json_body_bytes, fields: 5, files: 2, parts: 7 },
    });
  } catch (error) {
    throw new DeployError('malformed_multipart', undefined, { cause: error });
  }
}

function parseSpec(text: string, refuse: (error: DeployError) => void): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    refuse(new DeployError('malformed_json', 'The part spec is not valid JSON.', { cause: error }));
    return undefined;
  }
}

function unknownPart(name: string): DeployError {
  return new DeployError(
    'unknown_field',
    `The multipart body has the parts spec (a field) and source (a file), each once; ${name} is none of them.`,
    {
      fields: [{ path: name, message: 'unknown part' }],
    },
  );
}

/** The parser's errors are about the body; those of the system, such as a full disk, are not. */
function toDeployError(error: unknown): unknown {
  const isOurs = error instanceof DeployError || (error as NodeJS.ErrnoException).syscall !== undefined;
  return isOurs ? error : new DeployError('malformed_multipart', undefined, { cause: error });
}
