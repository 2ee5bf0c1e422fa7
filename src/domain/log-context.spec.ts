/** The context against a real JSON-LD processor: nothing dropped, nothing misread, and back to the same bytes. */
import { describe, expect, it } from '@jest/globals';
import { canonize, expand } from '../../test/support/json-ld.js';
import { entryWithEveryKey, EVERY_METADATA } from '../../test/support/log-fixtures.js';
import { assertValidEntry } from '../../test/support/log-assertions.js';
import { LOG_CONTEXT } from './log-context.js';
import { EVENT_TYPES, FlukeDeployEventType, LOG_CONTEXT_URL, type UnifiedLogEntry } from './log-entry.js';
import { DEPLOYMENT_NAMESPACE, ENUMERATIONS, LOG_NAMESPACE, LOG_VOCABULARY, METADATA_TERMS } from './log-vocabulary.js';

const sample = entryWithEveryKey(FlukeDeployEventType.HEALTH_CHECK);
const terms = Object.keys(LOG_CONTEXT['@context']).filter((key) => !key.startsWith('@'));

const withMetadata = (changes: object): UnifiedLogEntry => ({
  ...sample,
  flukedeploy_metadata: { ...sample.flukedeploy_metadata, ...changes },
});

describe('the JSON-LD context', () => {
  it.each(EVENT_TYPES)('keeps every key of a %s entry, there and back', async (eventType) => {
    await assertValidEntry(entryWithEveryKey(eventType));
  });

  it('is exercised in every term by the fixture', () => {
    const used = new Set([
      ...Object.keys(sample),
      ...Object.keys(sample.source),
      ...Object.keys(sample.flukedeploy_metadata),
      sample['@type'],
    ]);
    expect(terms.filter((term) => !used.has(term))).toEqual([]);
    expect(Object.keys(METADATA_TERMS)).toEqual(expect.arrayContaining(Object.keys(EVERY_METADATA)));
  });

  it.each(Object.entries(ENUMERATIONS).flatMap(([key, values]) => values.map((value) => [key, value] as const)))(
    'makes an IRI of %s "%s" and gives the word back',
    async (key, value) => {
      const place = key in sample ? { ...sample, [key]: value } : withMetadata({ [key]: value });
      const entry = key === 'system' ? sample : place;
      await assertValidEntry(entry);
      expect(JSON.stringify(await expand(entry))).toContain(`{"@id":"${LOG_NAMESPACE}${key}/${value}"}`);
    },
  );

  it('has no term that is also a value, which would be read as the term', () => {
    const values: readonly string[] = Object.values(ENUMERATIONS).flat();
    expect(terms.filter((term) => values.includes(term))).toEqual([]);
  });

  it('links an entry to its deployment', async () => {
    const [node] = await expand(sample);
    expect(node).toMatchObject({
      'http://www.w3.org/ns/prov#wasGeneratedBy': [
        { '@id': DEPLOYMENT_NAMESPACE + sample.flukedeploy_metadata.deployment_id },
      ],
    });
  });

  it('means the same in whatever order the keys come', async () => {
    const reversed = JSON.parse(JSON.stringify(sample), (_key, value: unknown) =>
      typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.fromEntries(Object.entries(value).reverse())
        : value,
    ) as unknown;
    const canonical = await canonize(sample);
    expect(await canonize(reversed)).toBe(canonical);
    // Two nodes: the entry and its source.
    expect(new Set(canonical.match(/_:c14n\d+/g))).toEqual(new Set(['_:c14n0', '_:c14n1']));
  });

  it.each<[string, unknown, RegExp]>([
    ['a key of the entry', { ...sample, severity: 'info' }, /Safe mode/],
    ['a key of the metadata', withMetadata({ docker_host: 'a' }), /Safe mode/],
    ['another type', { ...sample, '@type': 'LogEntry' }, /Safe mode/],
    ['a second context', { ...sample, '@context': [LOG_CONTEXT_URL, 'https://example.org/other'] }, /not ours|remote/],
    ['another meaning for a term', { ...sample, '@context': [LOG_CONTEXT_URL, { level: 'urn:x' }] }, /protected/],
  ])('refuses %s that it does not know', async (_, entry, message) => {
    await expect(expand(entry)).rejects.toThrow(message);
  });
});

describe('the vocabulary', () => {
  it('defines every IRI of our namespace that an entry can hold', async () => {
    const defined = new Set(LOG_VOCABULARY['@graph'].map((term) => term['@id']));
    const entries = EVENT_TYPES.map((type) => entryWithEveryKey(type));
    const used = (await canonize(entries)).match(/<https:\/\/flukebase\.me\/ns\/log#[^>]*>/g) ?? [];
    expect(used.length).toBeGreaterThan(0);
    expect(used.map((iri) => iri.slice(1, -1)).filter((iri) => !defined.has(iri))).toEqual([]);
    const values = Object.entries(ENUMERATIONS).flatMap(([key, all]) => all.map((value) => `${key}/${value}`));
    expect(values.filter((value) => !defined.has(LOG_NAMESPACE + value))).toEqual([]);
  });

  it('is itself JSON-LD of which nothing is dropped', async () => {
    const expanded = await expand(LOG_VOCABULARY);
    expect(expanded).toHaveLength(LOG_VOCABULARY['@graph'].length);
  });
});
