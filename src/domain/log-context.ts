/** The JSON-LD 1.1 context of a log entry, served at its own URL: no key of an entry is without meaning. */
import {
  DEPLOYMENT_NAMESPACE,
  ENTRY_TERMS,
  LOG_NAMESPACE,
  METADATA_TERMS,
  SOURCE_IRI,
  SOURCE_TERMS,
  type Term,
} from './log-vocabulary.js';

const XSD = 'http://www.w3.org/2001/XMLSchema#';

type Definition = Readonly<Record<string, unknown>>;

/** A string that is appended to `vocabulary`, so that a value becomes an IRI and turns back into the same string. */
const iriBelow = (vocabulary: string): Definition => ({ '@type': '@vocab', '@context': { '@vocab': vocabulary } });

function coercion(key: string, type: Term['type'], namespace: string): Definition {
  switch (type) {
    case 'string':
      return {};
    case 'strings':
      return { '@container': '@set' };
    case 'json':
      return { '@type': '@json' };
    case 'one_of':
      return iriBelow(`${namespace}${key}/`);
    case 'deployment':
      return iriBelow(DEPLOYMENT_NAMESPACE);
    case 'integer':
    case 'boolean':
    case 'dateTime':
    case 'anyURI':
      return { '@type': XSD + type };
  }
}

/** The terms as a context defines them; `common` is true of each of them. */
export function definitions(
  terms: Readonly<Record<string, Term>>,
  common: Definition = {},
  namespace = LOG_NAMESPACE,
): Record<string, Definition> {
  return Object.fromEntries(
    Object.entries(terms).map(([key, { iri, type }]) => [
      key,
      { '@id': iri ?? namespace + key, ...coercion(key, type, namespace), ...common },
    ]),
  );
}

/**
 * `flukedeploy_metadata` only groups keys (`@nest`): its properties are the entry's own.
 * The entry has no `@id`: it is a blank node with a `dcterms:identifier`, and links to its deployment.
 */
export const LOG_CONTEXT = {
  '@context': {
    '@version': 1.1,
    '@protected': true,
    UnifiedLogEntry: `${LOG_NAMESPACE}UnifiedLogEntry`,
    ...definitions(ENTRY_TERMS),
    source: { '@id': SOURCE_IRI },
    ...definitions(SOURCE_TERMS),
    flukedeploy_metadata: '@nest',
    ...definitions(METADATA_TERMS, { '@nest': 'flukedeploy_metadata' }),
  },
} as const;
