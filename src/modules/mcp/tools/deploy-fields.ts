/** The fields of a deployment as models are told of them. What is allowed in them, the body of `POST /api/v1/deploy` decides. */
import { z } from 'zod';
import { ON_CONFLICT, VALIDATION_LEVELS } from '../../../domain/app-spec.js';
import { STRATEGY_TYPES } from '../../../domain/strategy.js';

export const DEPLOY_FIELDS = {
  app_name: z.string(),
  image: z.string().optional().describe('registry/name:tag; exactly one of image and source'),
  source: z
    .looseObject({
      git: z.looseObject({ url: z.string(), ref: z.string().optional() }).optional(),
      dockerfile: z.string().optional().describe('text of one that needs no files'),
    })
    .optional(),
  version: z.string().optional().describe('label of the release'),
  environment: z.string().optional().describe('default production'),
  replicas: z.int().optional(),
  strategy: z
    .union([z.enum(STRATEGY_TYPES), z.looseObject({ type: z.enum(STRATEGY_TYPES) })])
    .optional()
    .describe('default rolling'),
  validation_level: z.enum(VALIDATION_LEVELS).optional().describe('which checks stop it; default basic'),
  auto_rollback: z.boolean().optional().describe('default true'),
  env: z.record(z.string(), z.string()).optional().describe('replaces all variables; kept secret'),
  port: z.int().optional().describe('HTTP port of the container; default 80, 0 = none'),
  domains: z.array(z.string()).optional(),
  command: z.array(z.string()).optional().describe("instead of the image's CMD"),
  health_check: z
    .looseObject({
      path: z.string().optional(),
      interval_ms: z.int().optional(),
      healthy_threshold: z.int().optional(),
      deadline_ms: z.int().optional(),
    })
    .optional(),
  on_conflict: z.enum(ON_CONFLICT).optional().describe('when another deployment of the app runs; default queue'),
  reason: z.string().optional(),
};
export const OTHER_FIELDS =
  'What is left out keeps the value it has. Any other field of POST /api/v1/deploy but timeout_seconds may be sent as well.';
