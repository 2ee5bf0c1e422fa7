/** Plugins in a request: which are on, with which options. */
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { ArrayMaxSize, IsArray, IsIn, IsObject, ValidateNested } from 'class-validator';
import { ON_FAILURE, type JsonObject, type OnFailure, type PluginUse } from '../../domain/hooks.js';
import { LIMITS } from '../../domain/limits.js';
import { MayBeLeftOut } from './field-forms.js';
import { IsName } from './name-field.js';

export class PluginUseDto {
  @IsName(50) name!: string;
  /** As the plugin's `option_schema` says, see `GET /api/v1/plugins`. Not kept secret: name secrets, and let the plugin ask for them. */
  @MayBeLeftOut() @IsObject() options?: Record<string, unknown>;
  /** Instead of what the plugin's hooks say: `warn` lets the deployment go on. */
  @MayBeLeftOut() @IsIn(ON_FAILURE) on_failure?: OnFailure;
}

export const ArePlugins = (): PropertyDecorator =>
  applyDecorators(
    MayBeLeftOut(),
    IsArray(),
    ArrayMaxSize(LIMITS.plugin_uses),
    IsObject({ each: true }),
    ValidateNested({ each: true }),
    Type(() => PluginUseDto),
  );

/** Where the field was sent. */
export function pluginsOf(plugins: readonly PluginUseDto[] | undefined): { plugins?: readonly PluginUse[] } {
  if (plugins === undefined) return {};
  return {
    plugins: plugins.map(({ name, options, on_failure }) => ({
      name,
      ...(options && { options: options as JsonObject }),
      ...(on_failure && { on_failure }),
    })),
  };
}
