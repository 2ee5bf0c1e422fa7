/** Fields that more than one tool takes. */
import { z } from 'zod';
import { LIMITS } from '../../../domain/limits.js';
import { IDEMPOTENCY_KEY } from '../../deployments/index.js';

export const DEPLOYMENT_ID = z.string().regex(/^[\w-]{1,64}$/);
export const APP_NAME = z
  .string()
  .regex(/^[a-z0-9-]+$/)
  .max(LIMITS.app_name_length);
export const ENVIRONMENT = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .max(30);
/** Of what changes something: the plan first, and then exactly that, once. */
export const PLANNED = {
  dry_run: z.boolean().optional().describe('only show the plan'),
  expected_plan_hash: z.string().max(200).optional().describe('refuse when the plan is another one by now'),
  idempotency_key: z.string().regex(IDEMPOTENCY_KEY).optional().describe('the same key never does it twice'),
};
export const RESPONSE_FORMAT = z.enum(['concise', 'detailed']).default('concise');
