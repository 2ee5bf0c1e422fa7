/** The schema refuses what the context alone would let through, drop or misread. */
import { describe, expect, it } from '@jest/globals';
import { assertMatchesSchema } from '../../test/support/log-assertions.js';
import { entryWithEveryKey } from '../../test/support/log-fixtures.js';
import { FlukeDeployEventType } from './log-entry.js';
import { LOG_SCHEMA } from './log-schema.js';
import { ENTRY_TERMS, METADATA_TERMS, SOURCE_TERMS } from './log-vocabulary.js';

const sample = entryWithEveryKey(FlukeDeployEventType.DEPLOY_ERROR);
const { flukedeploy_metadata: metadata, source } = sample;

const without = (object: object, key: string) =>
  Object.fromEntries(Object.entries(object).filter(([name]) => name !== key));
const withMetadata = (changes: object) => ({ ...sample, flukedeploy_metadata: { ...metadata, ...changes } });

describe('the JSON Schema', () => {
  it('describes exactly the keys that the context gives a meaning', () => {
    const { properties } = LOG_SCHEMA as unknown as { properties: Record<string, { properties?: object }> };
    expect(Object.keys(properties).sort()).toEqual(
      ['@context', '@type', 'source', 'flukedeploy_metadata', ...Object.keys(ENTRY_TERMS)].sort(),
    );
    expect(Object.keys(properties['source']?.properties ?? {})).toEqual(Object.keys(SOURCE_TERMS));
    expect(Object.keys(properties['flukedeploy_metadata']?.properties ?? {})).toEqual(Object.keys(METADATA_TERMS));
  });

  it('accepts a line of output, which has neither phase nor event', () => {
    const { deployment_id, app_name, environment, status, sequence, cursor } = metadata;
    const smallest = { deployment_id, app_name, environment, status, sequence, cursor };
    expect(() => assertMatchesSchema({ ...sample, flukedeploy_metadata: smallest })).not.toThrow();
  });

  it.each(Object.keys(sample))('requires %s', (key) => {
    expect(() => assertMatchesSchema(without(sample, key))).toThrow(/must have required property/);
  });

  it.each(Object.keys(source))('requires source.%s', (key) => {
    expect(() => assertMatchesSchema({ ...sample, source: without(source, key) })).toThrow(/required property/);
  });

  it.each(['deployment_id', 'app_name', 'environment', 'status', 'sequence', 'cursor'])('requires its %s', (key) => {
    expect(() => assertMatchesSchema({ ...sample, flukedeploy_metadata: without(metadata, key) })).toThrow(
      /required property/,
    );
  });

  it.each(Object.keys(metadata))('refuses null as %s, which JSON-LD would drop', (key) => {
    expect(() => assertMatchesSchema(withMetadata({ [key]: null }))).toThrow(/not a valid log entry/);
  });

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a list', [sample]],
    ['an unknown key', { ...sample, severity: 'info' }],
    ['an unknown key of the metadata', withMetadata({ docker_host: 'a' })],
    ['an unknown key of the source', { ...sample, source: { ...source, host: 'a' } }],
    ['an inline context', { ...sample, '@context': {} }],
    ['a list of contexts', { ...sample, '@context': [sample['@context']] }],
    ['the level fatal', { ...sample, level: 'fatal' }],
    ['the level INFO', { ...sample, level: 'INFO' }],
    ['a null message', { ...sample, message: null }],
    ['a day as time', { ...sample, timestamp: '2026-02-03' }],
    ['yesterday', { ...sample, timestamp: 'yesterday' }],
    ['a time of another zone', { ...sample, timestamp: '2026-02-03T10:00:00.123+01:00' }],
    ['a time without milliseconds', { ...sample, timestamp: '2026-02-03T10:00:00Z' }],
    ['the 30th of February', { ...sample, timestamp: '2026-02-30T10:00:00.123Z' }],
    ['an id of too few digits', { ...sample, id: `${metadata.deployment_id}-log-17` }],
    ['a deployment id with a colon', withMetadata({ deployment_id: 'dep-a:b' })],
    ['a deployment id that is a term', withMetadata({ deployment_id: 'message' })],
    ['an app in capitals', withMetadata({ app_name: 'Api' })],
    ['an unknown status', withMetadata({ status: 'done' })],
    ['an unknown event', withMetadata({ event_type: 'deploy_done' })],
    ['an unknown error code', withMetadata({ error_code: 'oops' })],
    ['sequence 0', withMetadata({ sequence: 0 })],
    ['attempt 0', withMetadata({ attempt: 0 })],
    ['a duration that is not whole', withMetadata({ duration_ms: 1.5 })],
    ['a negative duration', withMetadata({ duration_ms: -1 })],
    ['a short digest', withMetadata({ image_digest: 'sha256:0' })],
    ['an address that is no URI', withMetadata({ url: '10.0.0.1:80' })],
    ['details that are no object', withMetadata({ details: ['a'] })],
  ])('refuses %s', (_, entry) => {
    expect(() => assertMatchesSchema(entry)).toThrow(/not a valid log entry/);
  });
});
