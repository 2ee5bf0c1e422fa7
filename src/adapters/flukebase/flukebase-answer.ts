/** What FlukeBase answers, believed only as far as it has the right shape. Pure. */
import { z } from 'zod';
import type { RefusedEntry } from '../../domain/flukebase-ports.js';
import type { Masker } from '../../domain/masking.js';
import { printable } from '../../domain/printable-text.js';

const LONGEST_REASON = 300;

const ANSWER = z.looseObject({});
type Answer = z.output<typeof ANSWER>;

const RESULTS = z.array(
  z.looseObject({
    id: z.string(),
    status: z.int(),
    message: z.string().optional(),
    error: z.string().optional(),
  }),
);

/** `undefined` where it is no JSON object; nothing at all is an empty one. */
export function readAnswer(text: unknown): Answer | undefined {
  if (typeof text !== 'string' || text.trim() === '') return {};
  try {
    return ANSWER.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** The entries of a batch that were not taken. */
export function refusedIn({ results }: Answer, masker: Masker): RefusedEntry[] {
  const { data = [] } = RESULTS.safeParse(results);
  return data
    .filter(({ status }) => status < 200 || status >= 300)
    .map(({ id, status, message, error }) => {
      const reason = message ?? error;
      return { id, status, ...(reason !== undefined && { reason: bounded(reason, masker) }) };
    });
}

/** Its words are those of a stranger, who may repeat the token: short, printable and masked. */
export function reasonIn({ message, detail, error }: Answer, masker: Masker): string | undefined {
  const words = [message, detail, error].find((text): text is string => typeof text === 'string' && text !== '');
  return words === undefined ? undefined : bounded(words, masker);
}

function bounded(words: string, masker: Masker): string {
  return masker.mask(printable(words)).replace(/\s+/g, ' ').slice(0, LONGEST_REASON).toWellFormed().replace(/\.$/, '');
}
