/** Bodies that do not come as JSON of their own, multipart and those of tools, go through the same validation. */
import { BodyValidator } from '../../modules/deployments/index.js';
import { requestValidation } from './validation.js';

export class PipeBodyValidator extends BodyValidator {
  readonly #pipe = requestValidation();

  override async validate<Dto extends object>(dto: new () => Dto, body: unknown): Promise<Dto> {
    return (await this.#pipe.transform(body, { type: 'body', metatype: dto })) as Dto;
  }
}
