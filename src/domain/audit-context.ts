/** What an entry of the audit trail means: its JSON-LD 1.1 context and its vocabulary, beside those of the log. */
import type { AuditEntry } from './audit-chain.js';
import { AUDIT_ACTOR_KINDS, type AuditActor } from './audit-record.js';
import { ERRORS } from './errors.js';
import { definitions } from './log-context.js';
import { SOURCE_IRI, type Term } from './log-vocabulary.js';

export const AUDIT_CONTEXT_URL = 'https://flukebase.me/schemas/audit-log';
export const AUDIT_NAMESPACE = 'https://flukebase.me/ns/audit#';

/** An entry as it is exported: with these two words more it is linked data, and its hash stays the same. */
export interface LinkedAuditEntry extends AuditEntry {
  readonly '@context': typeof AUDIT_CONTEXT_URL;
  readonly '@type': 'AuditEntry';
}

export function linkedEntry(entry: AuditEntry): LinkedAuditEntry {
  return { '@context': AUDIT_CONTEXT_URL, '@type': 'AuditEntry', ...entry };
}

/** Values with an IRI of their own: `<namespace><key>/<value>`. */
const ENUMERATIONS = {
  kind: AUDIT_ACTOR_KINDS,
  outcome: ['succeeded', 'unknown', ...Object.keys(ERRORS)],
} as const satisfies Record<string, readonly string[]>;

const ENTRY_TERMS = {
  number: { type: 'integer', comment: 'Place in the chain: from 1, without gaps.' },
  at: { type: 'dateTime', iri: 'http://www.w3.org/ns/prov#generatedAtTime', comment: 'When it was asked for.' },
  action: { type: 'string', comment: 'What was asked for.' },
  target: { type: 'string', comment: 'What it was to be done to.' },
  outcome: { type: 'one_of', comment: 'How it ended: succeeded, unknown, or the code of the error.' },
  rule: { type: 'string', comment: 'Why it was refused, or the approval that has allowed it.' },
  address: { type: 'string', comment: 'Address of the client.' },
  plan_hash: { type: 'string', comment: 'Hash of the plan that was carried out.' },
  request_id: { type: 'string', comment: 'The request, as its answer names it in X-Request-Id.' },
  prev_hash: { type: 'string', comment: 'Hash of the entry before.' },
  hash: { type: 'string', comment: 'SHA-256 of the entry without its hash, as canonical JSON (RFC 8785).' },
} as const satisfies Record<keyof Omit<AuditEntry, 'actor'>, Term>;

const ACTOR_TERMS = {
  kind: { type: 'one_of', comment: 'Which credentials it had.' },
  name: { type: 'string', iri: 'https://schema.org/name', comment: 'Name of the person, the token or the system.' },
  agent: { type: 'string', comment: 'The AI agent that acted with the token.' },
  token_id: { type: 'string', comment: 'Id of the token.' },
  on_behalf_of: { type: 'string', comment: 'For whom the token said that it acts. A claim that nobody has checked.' },
} as const satisfies Record<keyof AuditActor, Term>;

export const AUDIT_CONTEXT = {
  '@context': {
    '@version': 1.1,
    '@protected': true,
    AuditEntry: `${AUDIT_NAMESPACE}AuditEntry`,
    ...definitions(ENTRY_TERMS, {}, AUDIT_NAMESPACE),
    actor: { '@id': SOURCE_IRI },
    ...definitions(ACTOR_TERMS, {}, AUDIT_NAMESPACE),
  },
} as const;

/** Definitions of everything in our namespace that an entry can hold, as JSON-LD. */
export const AUDIT_VOCABULARY = {
  '@context': {
    '@vocab': AUDIT_NAMESPACE,
    rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
    rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
    label: 'rdfs:label',
    comment: 'rdfs:comment',
    subClassOf: { '@id': 'rdfs:subClassOf', '@type': '@id' },
  },
  '@graph': [
    {
      '@id': `${AUDIT_NAMESPACE}AuditEntry`,
      '@type': 'rdfs:Class',
      label: 'AuditEntry',
      comment: 'One change, or one refusal, in a chain that shows when somebody rewrites it.',
      subClassOf: 'http://www.w3.org/ns/prov#Entity',
    },
    ...Object.entries<Term>({ ...ENTRY_TERMS, ...ACTOR_TERMS })
      .filter(([, { iri }]) => iri === undefined)
      .map(([key, { comment }]) => ({ '@id': AUDIT_NAMESPACE + key, '@type': 'rdf:Property', label: key, comment })),
    ...Object.entries(ENUMERATIONS).flatMap(([key, values]) => [
      { '@id': `${AUDIT_NAMESPACE}${key}/`, '@type': 'rdfs:Class', label: `Values of ${key}` },
      ...values.map((value) => ({
        '@id': `${AUDIT_NAMESPACE}${key}/${value}`,
        '@type': `${AUDIT_NAMESPACE}${key}/`,
        label: value,
      })),
    ]),
  ],
};
