/** Reads `multipart/form-data`: the part `spec` as JSON, the part `source` streamed to disk, never held in memory. */
import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
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
    try {
      return await this.#parse(request, path);
    } catch (error) {
      await rm(path, { force: true });
      // What is left of the body must be read, or the client never gets to see the answer.
      request.unpipe();
      request.resume();
      throw error;
    }
  }

  #parse(request: IncomingMessage, path: string): Promise<Upload> {
    return new Promise((resolve, reject) => {
      const parser = openParser(request);
      let spec: unknown;
      let archive: Promise<UploadedArchive> | undefined;
      parser.on('field', (name, value, info) => {
        if (name !== 'spec') reject(unknownPart(name));
        else if (info.valueTruncated)
          reject(new DeployError('payload_too_large', 'The part spec is larger than 1 MB.'));
        else spec = parseSpec(value, reject);
      });
      parser.on('file', (name, stream) => {
        if (name !== 'source' || archive !== undefined) {
          stream.resume();
          reject(unknownPart(name));
          return;
        }
        archive = this.#store(stream, path);
        archive.catch(reject);
      });
      parser.on('error', (error) => reject(new DeployError('malformed_multipart', undefined, { cause: error })));
      parser.on('close', () => {
        if (spec === undefined) reject(new DeployError('malformed_multipart', 'The part spec is missing.'));
        else resolve(Promise.resolve(archive).then((stored) => ({ spec, archive: stored })));
      });
      request.on('aborted', () => reject(new DeployError('malformed_multipart', 'The upload was cut off.')));
      request.pipe(parser);
    });
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
    if (bytes === 0) throw new DeployError('source_unusable', 'The part source is empty.');
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

function parseSpec(text: string, reject: (error: DeployError) => void): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    reject(new DeployError('malformed_json', 'The part spec is not valid JSON.', { cause: error }));
    return undefined;
  }
}

function unknownPart(name: string): DeployError {
  return new DeployError('unknown_field', `The multipart body has the parts spec and source (once), not ${name}.`, {
    fields: [{ path: name, message: 'unknown part' }],
  });
}
