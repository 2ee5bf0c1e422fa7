/** What every key and value of a log entry means: the one table behind the JSON-LD context, and the vocabulary at /ns/log. */
import { ERRORS, type ErrorCode } from './errors.js';
import {
  EVENT_TYPES,
  LOG_LEVELS,
  type FlukeDeployMetadata,
  type LogLevel,
  type LogSource,
  type UnifiedLogEntry,
} from './log-entry.js';
import { DEPLOYMENT_STATUSES, PHASES } from './phases.js';

export const LOG_NAMESPACE = 'https://flukebase.me/ns/log#';
export const DEPLOYMENT_NAMESPACE = 'https://flukebase.me/id/deployment/';

/** The values that a key can take, each of which has an IRI of its own: `<namespace><key>/<value>`. */
export const ENUMERATIONS = {
  level: LOG_LEVELS,
  system: ['flukedeploy'],
  event_type: EVENT_TYPES,
  phase: PHASES,
  status: DEPLOYMENT_STATUSES,
  error_code: Object.keys(ERRORS),
} as const satisfies Record<string, readonly string[]>;

/** How the value of a key reads as RDF; `one_of` is a value of its enumeration, `deployment` a link to one. */
type ValueType =
  'string' | 'integer' | 'boolean' | 'dateTime' | 'anyURI' | 'strings' | 'json' | 'one_of' | 'deployment';

export interface Term {
  readonly type: ValueType;
  readonly comment: string;
  /** Where an established vocabulary has the same meaning; otherwise the IRI is the key in our own namespace. */
  readonly iri?: string;
}

const PROV = 'http://www.w3.org/ns/prov#';

export const ENTRY_TERMS = {
  id: {
    type: 'string',
    iri: 'http://purl.org/dc/terms/identifier',
    comment: 'Deployment id and sequence, unique for ever.',
  },
  timestamp: { type: 'dateTime', iri: `${PROV}generatedAtTime`, comment: 'When it happened.' },
  level: { type: 'one_of', comment: 'How much attention the entry asks for.' },
  message: { type: 'string', iri: 'https://schema.org/text', comment: 'What happened, in plain words.' },
} as const satisfies Record<keyof Omit<UnifiedLogEntry, `@${string}` | 'source' | 'flukedeploy_metadata'>, Term>;

export const SOURCE_IRI = `${PROV}wasAttributedTo`;
export const SOURCE_TERMS = {
  system: { type: 'one_of', comment: 'The system that wrote the entry.' },
  component: { type: 'string', comment: 'The phase or the part of the system that wrote the entry.' },
  instance: { type: 'string', comment: 'The process that wrote the entry.' },
} as const satisfies Record<keyof LogSource, Term>;

/** Start, end and actor of a deployment are not PROV's: those belong to the activity, and an entry is an entity. */
export const METADATA_TERMS = {
  event_type: { type: 'one_of', comment: 'The lifecycle event; plain output has none.' },
  deployment_id: { type: 'deployment', iri: `${PROV}wasGeneratedBy`, comment: 'The deployment that the entry is of.' },
  app_name: { type: 'string', comment: 'The app that is deployed.' },
  environment: { type: 'string', comment: 'Where the app is deployed to.' },
  phase: { type: 'one_of', comment: 'The phase during which it happened.' },
  status: { type: 'one_of', comment: 'Status of the deployment after the entry.' },
  sequence: { type: 'integer', comment: 'Place in the list of the deployment: from 1, without gaps.' },
  cursor: { type: 'string', comment: 'Place in the one stream of all deployments; opaque.' },
  attempt: { type: 'integer', comment: 'Attempt at the phase, from 1.' },
  image: { type: 'string', comment: 'The image that runs.' },
  image_digest: { type: 'string', comment: 'Content address of the image.' },
  version: { type: 'string', comment: 'Label of the release.' },
  commit: { type: 'string', comment: 'The git commit that was built.' },
  duration_ms: { type: 'integer', comment: 'How long it took, in milliseconds.' },
  replicas_from: { type: 'integer', comment: 'Replicas before.' },
  replicas_to: { type: 'integer', comment: 'Replicas after.' },
  healthy: { type: 'boolean', comment: 'Whether the probe passed.' },
  http_status: { type: 'integer', comment: 'Status that the probe was answered with.' },
  exit_code: { type: 'integer', comment: 'Exit code of the program.' },
  url: { type: 'anyURI', comment: 'What was probed or reached.' },
  error_code: { type: 'one_of', comment: 'What went wrong, from the published table.' },
  error_message: { type: 'string', comment: 'What went wrong, in plain words.' },
  stack: { type: 'string', comment: 'Stack of an error, for whoever runs the system.' },
  hint: { type: 'string', comment: 'The next thing to try.' },
  reason: { type: 'string', comment: 'Why it was done or not done.' },
  rollback_of: { type: 'deployment', comment: 'The deployment that is taken back.' },
  superseded_by: { type: 'deployment', comment: 'The deployment that took the place of this one.' },
  config_keys: { type: 'strings', comment: 'Names of the settings that changed.' },
  actor: { type: 'string', comment: 'The person, token or part of the system that caused it.' },
  agent: { type: 'string', comment: 'The AI agent that acted with the token.' },
  on_behalf_of: { type: 'string', comment: 'For whom the token acted, as its bearer says.' },
  details: { type: 'json', comment: 'Anything else, as JSON.' },
} as const satisfies Record<keyof FlukeDeployMetadata, Term>;

const SEVERITIES: Readonly<Record<LogLevel, { rfc5424_severity: number; otel_severity_number: number }>> = {
  debug: { rfc5424_severity: 7, otel_severity_number: 5 },
  info: { rfc5424_severity: 6, otel_severity_number: 9 },
  warn: { rfc5424_severity: 4, otel_severity_number: 13 },
  error: { rfc5424_severity: 3, otel_severity_number: 17 },
};

/** Definitions of everything in our namespace that an entry can hold, as JSON-LD. */
export const LOG_VOCABULARY = {
  '@context': {
    '@vocab': LOG_NAMESPACE,
    rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
    rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
    label: 'rdfs:label',
    comment: 'rdfs:comment',
    subClassOf: { '@id': 'rdfs:subClassOf', '@type': '@id' },
  },
  '@graph': [
    {
      '@id': `${LOG_NAMESPACE}UnifiedLogEntry`,
      '@type': 'rdfs:Class',
      label: 'UnifiedLogEntry',
      comment: 'One line of what a deployment did or said.',
      subClassOf: `${PROV}Entity`,
    },
    ...Object.entries<Term>({ ...ENTRY_TERMS, ...SOURCE_TERMS, ...METADATA_TERMS })
      .filter(([, { iri }]) => iri === undefined)
      .map(([key, { comment }]) => ({ '@id': LOG_NAMESPACE + key, '@type': 'rdf:Property', label: key, comment })),
    ...Object.entries(ENUMERATIONS).flatMap(([key, values]) => [
      { '@id': `${LOG_NAMESPACE}${key}/`, '@type': 'rdfs:Class', label: `Values of ${key}` },
      ...values.map((value) => ({
        '@id': `${LOG_NAMESPACE}${key}/${value}`,
        '@type': `${LOG_NAMESPACE}${key}/`,
        label: value,
        ...(key === 'level' && SEVERITIES[value as LogLevel]),
        ...(key === 'error_code' && { comment: ERRORS[value as ErrorCode].title }),
      })),
    ]),
  ],
};
