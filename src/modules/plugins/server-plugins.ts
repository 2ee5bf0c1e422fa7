/** What the server switches on for every app: the file that FLUKEDEPLOY_PLUGIN_CONFIG names. */
import { z } from 'zod';
import { ON_FAILURE, type PluginUse } from '../../domain/hooks.js';

/** A use whose options apps and deployments may not replace where it is `locked`. */
export interface ServerPluginUse extends PluginUse {
  readonly locked: boolean;
}

export interface ServerPlugins {
  readonly uses: readonly ServerPluginUse[];
  /** Clear values that hooks may ask for by name; never logged. */
  readonly secrets: Readonly<Record<string, string>>;
}

export const NO_SERVER_PLUGINS: ServerPlugins = { uses: [], secrets: {} };

const FILE = z.strictObject({
  plugins: z
    .array(
      z.strictObject({
        name: z.string(),
        options: z.record(z.string(), z.json()).optional(),
        on_failure: z.enum(ON_FAILURE).optional(),
        locked: z.boolean().default(false),
      }),
    )
    .default([]),
  secrets: z.record(z.string(), z.string().min(1)).default({}),
});

/** @throws Error that names each wrong field, and repeats none of the values: they may be secret */
export function parseServerPlugins(text: string): ServerPlugins {
  const { plugins, secrets } = parsed(text);
  const uses = plugins.map(({ name, options, on_failure, locked }) => ({
    name,
    locked,
    ...(options && { options: options }),
    ...(on_failure && { on_failure }),
  }));
  return { uses, secrets };
}

function parsed(text: string): z.infer<typeof FILE> {
  const result = FILE.safeParse(json(text));
  if (result.success) return result.data;
  throw new Error(
    result.error.issues
      .map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
      .join('; '),
  );
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('it is not valid JSON');
  }
}

/** Of the file that FLUKEDEPLOY_PLUGIN_CONFIG names. @throws Error that names the variable and each wrong field */
export function readServerPlugins(text: string | undefined): ServerPlugins {
  if (text === undefined) return NO_SERVER_PLUGINS;
  try {
    return parseServerPlugins(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`FLUKEDEPLOY_PLUGIN_CONFIG: ${reason}`, { cause: error });
  }
}
