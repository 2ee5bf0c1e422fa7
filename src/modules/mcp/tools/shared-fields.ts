/** Fields that more than one tool takes. */
import { z } from 'zod';
import { LIMITS } from '../../../domain/limits.js';

export const DEPLOYMENT_ID = z.string().regex(/^[\w-]{1,64}$/);
export const APP_NAME = z
  .string()
  .regex(/^[a-z0-9-]+$/)
  .max(LIMITS.app_name_length);
export const ENVIRONMENT = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .max(30);
export const RESPONSE_FORMAT = z.enum(['concise', 'detailed']).default('concise');
