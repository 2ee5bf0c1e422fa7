/** What the image policy can find. */
import type { Finding } from '../../plugin/index.js';

export const CODES = [
  'runs_as_root',
  'no_healthcheck',
  'image_tag_floating',
  'base_image_floating',
  'base_image_unknown',
  'secret_in_env',
  'secret_in_history',
  'forbidden_mount',
  'port_not_exposed',
  'image_too_large',
  'image_grew',
] as const;

export type PolicyFinding = Finding & { readonly code: (typeof CODES)[number] };
