/** The body of a deploy request, whichever way it came: JSON, or multipart with an archive. */
import { rm } from 'node:fs/promises';
import { Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { DeployError } from '../../domain/errors.js';
import type { DeployDto } from './deploy.dto.js';
import { Uploads, type UploadedArchive } from './upload.js';

/** Validates a plain object as an instance of the class; provided by the HTTP gateway, which knows how errors are told. */
export abstract class BodyValidator {
  abstract validate<Dto extends object>(dto: new () => Dto, body: unknown): Promise<Dto>;
}

@Injectable()
export class DeployBody {
  constructor(
    private readonly uploads: Uploads,
    private readonly validator: BodyValidator,
  ) {}

  /** The archive's file belongs to the caller; after an error none is left. */
  async read<Dto extends DeployDto>(
    request: Request,
    form: new () => Dto,
  ): Promise<{ dto: Dto; archive: UploadedArchive | undefined }> {
    if (request.is('application/json')) {
      return { dto: await this.validator.validate(form, request.body), archive: undefined };
    }
    if (!request.is('multipart/form-data')) throw new DeployError('unsupported_media_type');
    const { spec, archive } = await this.uploads.read(request);
    // Where it would be, had it come as JSON: whoever looks at the request from outside finds it.
    request.body = spec;
    try {
      return { dto: await this.validator.validate(form, spec), archive };
    } catch (error) {
      if (archive) await rm(archive.path, { force: true });
      throw error;
    }
  }
}
