/** Forms that fields of more than one body have. */
import { ValidateIf } from 'class-validator';

export const HOST_NAME = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/;

/** Unlike IsOptional no null: whether it means "as it was" or "none" would be a guess. */
export const MayBeLeftOut = (): PropertyDecorator => ValidateIf((_, value) => value !== undefined);
