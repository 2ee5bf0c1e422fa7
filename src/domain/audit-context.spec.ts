/** Entries of the audit trail against a real JSON-LD processor: nothing dropped, nothing misread, and back to the same bytes. */
import { describe, expect, it } from '@jest/globals';
import { canonize, compact, expand } from '../../test/support/json-ld.js';
import { AUDIT_CONTEXT, AUDIT_CONTEXT_URL, AUDIT_NAMESPACE, AUDIT_VOCABULARY, linkedEntry } from './audit-context.js';
import type { AuditEntry } from './audit-chain.js';
import { AUDIT_ACTOR_KINDS } from './audit-record.js';
import { ERRORS, type ErrorCode } from './errors.js';

const EVERY_KEY: Required<AuditEntry> = {
  number: 7,
  at: '2026-02-03T10:00:00.123Z',
  actor: { kind: 'token', name: 'ci', agent: 'OPERATOR', token_id: '0123456789ab', on_behalf_of: 'ana@example.com' },
  action: 'app.scale',
  target: 'web/production',
  outcome: 'forbidden',
  rule: 'This needs the scope deploy; the token has read.',
  address: '::1',
  plan_hash: 'ab',
  request_id: 'c0ffee',
  prev_hash: '0'.repeat(64),
  hash: 'f'.repeat(64),
};
const OUTCOMES = ['succeeded', 'unknown', ...(Object.keys(ERRORS) as ErrorCode[])] as const;
const terms = Object.keys(AUDIT_CONTEXT['@context']).filter((key) => !key.startsWith('@'));

/** Expands in safe mode, and compacts to itself. */
async function assertLossless(entry: AuditEntry): Promise<void> {
  const linked = linkedEntry(entry);
  const expanded = await expand(linked);
  expect(expanded).toHaveLength(1);
  expect(await compact(expanded, AUDIT_CONTEXT_URL)).toEqual(linked);
}

describe('the context of the audit trail', () => {
  it('keeps every key of an entry, there and back, and has no others', async () => {
    await assertLossless(EVERY_KEY);
    const used = new Set([...Object.keys(EVERY_KEY), ...Object.keys(EVERY_KEY.actor), 'AuditEntry']);
    expect(terms.filter((term) => !used.has(term))).toEqual([]);
  });

  it.each(OUTCOMES)('makes an IRI of the outcome %s and gives the word back', async (outcome) => {
    await assertLossless({ ...EVERY_KEY, outcome });
    expect(JSON.stringify(await expand(linkedEntry({ ...EVERY_KEY, outcome })))).toContain(
      `{"@id":"${AUDIT_NAMESPACE}outcome/${outcome}"}`,
    );
  });

  it.each(AUDIT_ACTOR_KINDS)('does so with the kind %s', async (kind) => {
    await assertLossless({ ...EVERY_KEY, actor: { kind, name: kind } });
  });

  it('has no term that is also a value, which would be read as the term', () => {
    const values: readonly string[] = [...OUTCOMES, ...AUDIT_ACTOR_KINDS];
    expect(terms.filter((term) => values.includes(term))).toEqual([]);
  });

  it('refuses a key that it does not know', async () => {
    await expect(expand({ ...linkedEntry(EVERY_KEY), body: 'x' })).rejects.toThrow(/Safe mode/);
  });
});

describe('the vocabulary of the audit trail', () => {
  it('defines every IRI of our namespace that an entry can hold', async () => {
    const defined = new Set(AUDIT_VOCABULARY['@graph'].map((term) => term['@id']));
    const entries = OUTCOMES.map((outcome) => linkedEntry({ ...EVERY_KEY, outcome }));
    const used = (await canonize(entries)).match(/<https:\/\/flukebase\.me\/ns\/audit#[^>]*>/g) ?? [];
    expect(used.length).toBeGreaterThan(0);
    expect(used.map((iri) => iri.slice(1, -1)).filter((iri) => !defined.has(iri))).toEqual([]);
  });

  it('is itself JSON-LD of which nothing is dropped', async () => {
    expect(await expand(AUDIT_VOCABULARY)).toHaveLength(AUDIT_VOCABULARY['@graph'].length);
  });
});
