/** The JSON Schema (2020-12) of a log entry: it refuses what JSON-LD would silently drop or misread. */
import { ERRORS } from './errors.js';
import {
  EVENT_TYPES,
  LOG_CONTEXT_URL,
  LOG_LEVELS,
  type FlukeDeployMetadata,
  type LogSource,
  type UnifiedLogEntry,
} from './log-entry.js';
import { DEPLOYMENT_STATUSES, PHASES } from './phases.js';

export const LOG_SCHEMA_URL = `${LOG_CONTEXT_URL}.schema.json`;

type Schema = Readonly<Record<string, unknown>>;

const text: Schema = { type: 'string' };
const name: Schema = { type: 'string', minLength: 1 };
/** An integer from `minimum` on; integers only, because a fraction has no valid form as xsd:integer. */
const integer = (minimum: number, maximum = Number.MAX_SAFE_INTEGER): Schema => ({ type: 'integer', minimum, maximum });
const oneOf = (values: readonly string[]): Schema => ({ enum: values });
const matching = (pattern: string): Schema => ({ type: 'string', pattern });

/** The prefix keeps an id from being read as a term or as an absolute IRI. */
const deploymentId = matching('^dep-[A-Za-z0-9_-]{1,60}$');

const source: Readonly<Record<keyof LogSource, Schema>> = {
  system: { const: 'flukedeploy' },
  component: name,
  instance: name,
};

const metadata: Readonly<Record<keyof FlukeDeployMetadata, Schema>> = {
  event_type: oneOf(EVENT_TYPES),
  deployment_id: deploymentId,
  app_name: matching('^[a-z0-9-]{1,50}$'),
  environment: matching('^[a-z0-9-]{1,50}$'),
  phase: oneOf(PHASES),
  status: oneOf(DEPLOYMENT_STATUSES),
  sequence: integer(1),
  cursor: matching('^[a-z0-9]{1,16}\\.[a-z0-9]{1,11}$'),
  attempt: integer(1),
  image: name,
  image_digest: matching('^sha256:[0-9a-f]{64}$'),
  version: name,
  commit: matching('^[0-9a-f]{40}([0-9a-f]{24})?$'),
  duration_ms: integer(0),
  replicas_from: integer(0),
  replicas_to: integer(0),
  healthy: { type: 'boolean' },
  http_status: integer(100, 599),
  exit_code: integer(-1),
  url: { type: 'string', format: 'uri' },
  error_code: oneOf(Object.keys(ERRORS)),
  error_message: text,
  stack: text,
  hint: text,
  reason: text,
  rollback_of: deploymentId,
  superseded_by: deploymentId,
  config_keys: { type: 'array', items: name, minItems: 1, uniqueItems: true },
  actor: name,
  agent: name,
  on_behalf_of: name,
  details: { type: 'object' },
};

const entry: Readonly<Record<keyof UnifiedLogEntry, Schema>> = {
  '@context': { const: LOG_CONTEXT_URL },
  '@type': { const: 'UnifiedLogEntry' },
  id: matching('^dep-[A-Za-z0-9_-]{1,60}-log-[0-9]{3,}$'),
  timestamp: {
    type: 'string',
    format: 'date-time',
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z$',
  },
  level: oneOf(LOG_LEVELS),
  message: text,
  source: closed(source),
  flukedeploy_metadata: closed(metadata, [
    'deployment_id',
    'app_name',
    'environment',
    'status',
    'sequence',
    'cursor',
  ] satisfies (keyof FlukeDeployMetadata)[]),
};

/** An object with these keys and no others; all of them are required unless `required` names them. */
function closed(properties: Readonly<Record<string, Schema>>, required = Object.keys(properties)): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

export const LOG_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: LOG_SCHEMA_URL,
  title: 'UnifiedLogEntry',
  ...closed(entry),
} as const;
