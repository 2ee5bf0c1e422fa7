/** How the image policy can be set. */
import { z } from '../../plugin/index.js';
import { CODES } from './finding-codes.js';

export const OPTIONS = z.strictObject({
  ignore: z.array(z.enum(CODES)).default([]).describe('Codes of findings that do not count.'),
  allow_root: z.boolean().default(false).describe('Whether the image may run as root.'),
  max_size_mb: z.number().positive().optional().describe('The image may not be larger.'),
  max_growth_percent: z.number().min(0).default(50).describe('From here on its growth since the last release is told.'),
});
