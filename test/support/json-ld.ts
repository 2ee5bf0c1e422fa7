/** A JSON-LD processor that knows our contexts, loads nothing, and throws where it would drop something. */
import jsonld from 'jsonld';
import { AUDIT_CONTEXT, AUDIT_CONTEXT_URL } from '../../src/domain/audit-context.js';
import { LOG_CONTEXT } from '../../src/domain/log-context.js';
import { LOG_CONTEXT_URL } from '../../src/domain/log-entry.js';

/** The part of jsonld used here; its published types do not know `safe`. */
interface JsonLdProcessor {
  expand(document: unknown, options: object): Promise<readonly object[]>;
  compact(document: unknown, context: string, options: object): Promise<object>;
  canonize(document: unknown, options: object): Promise<string>;
}
const processor = jsonld as unknown as JsonLdProcessor;

const CONTEXTS: Readonly<Record<string, object>> = {
  [LOG_CONTEXT_URL]: LOG_CONTEXT,
  [AUDIT_CONTEXT_URL]: AUDIT_CONTEXT,
};

const options = {
  safe: true,
  documentLoader: async (url: string) => {
    const document = CONTEXTS[url];
    if (document === undefined) throw new Error(`the context ${url} is not ours`);
    return { documentUrl: url, document };
  },
};

export const expand = (document: unknown) => processor.expand(document, options);

/** The document in the words of our context. */
export const compact = (document: unknown, context = LOG_CONTEXT_URL) => processor.compact(document, context, options);

/** RDFC-1.0 as N-Quads: equal text means equal meaning. */
export const canonize = (document: unknown) => processor.canonize(document, options);
