/** Names of apps, environments and projects. */
import { applyDecorators } from '@nestjs/common';
import { Matches, MaxLength } from 'class-validator';

/** Lower case letters, digits and single dashes between them: CapRover's rule. */
const NAME = /^(?!.*--)[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const MESSAGE = '$property must be lower case letters, digits and single dashes between them';

export const IsName = (longest?: number, message = MESSAGE): PropertyDecorator =>
  applyDecorators(Matches(NAME, { message }), ...(longest === undefined ? [] : [MaxLength(longest)]));
