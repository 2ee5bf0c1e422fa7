/** Forms that fields of more than one body have. */
import { applyDecorators } from '@nestjs/common';
import { ValidateBy, ValidateIf, ValidateNested } from 'class-validator';

export const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** Unlike IsOptional no null: whether it means "as it was" or "none" would be a guess. */
export const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);

/** One object with fields of its own, and one message for all that is none: nested validation alone would take a list for many of them. */
export const IsNested = (message: string): PropertyDecorator =>
  applyDecorators(
    ValidateBy({
      name: 'isNoList',
      validator: { validate: (value) => !Array.isArray(value), defaultMessage: () => message },
    }),
    ValidateNested({ message }),
  );
