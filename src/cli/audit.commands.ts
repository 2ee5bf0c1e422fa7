/** `flukedeploy audit` and `audit verify`: who changed what, and the proof that nobody has rewritten it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { verifyChain, type AuditEntry, type ChainLink, type ChainVerdict } from '../domain/audit-chain.js';
import { PAGE_ENTRIES, type Api, type AuditFilter } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT, UsageError } from './failures.js';
import { shortTime, table, underBold } from './table.js';

export interface AuditOptions extends AuditFilter {
  readonly json?: boolean;
}

export interface AuditVerifyOptions {
  readonly file?: string;
  readonly anchor?: ChainLink;
  readonly json?: boolean;
}

const HEADS = ['NUMBER', 'TIME', 'ACTOR', 'ACTION', 'TARGET', 'OUTCOME'];

export async function audit(context: CommandContext, { json, ...filter }: AuditOptions): Promise<number> {
  const { terminal } = context;
  for await (const entries of pages(await context.api(), filter)) {
    if (json) for (const entry of entries) terminal.json(entry);
    else if (entries.length > 0) terminal.print(underBold(table(HEADS, entries.map(cells)), terminal.paint));
  }
  return EXIT.success;
}

/** The exit code is the verdict. */
export async function verifyAudit(
  context: CommandContext,
  { file, anchor, json }: AuditVerifyOptions,
): Promise<number> {
  const { terminal } = context;
  const verdict =
    file === undefined
      ? await (await context.api()).auditVerdict(anchor)
      : await verifyChain(entriesOf(file), sha256, anchor && { anchor });
  if (json) terminal.json(verdict);
  else terminal.print([sentence(verdict)]);
  return verdict.valid ? EXIT.success : EXIT.failed;
}

async function* pages(api: Api, filter: AuditFilter): AsyncGenerator<readonly AuditEntry[]> {
  for (let cursor: string | undefined; ;) {
    const page = await api.audit(filter, cursor);
    yield page.entries;
    if (page.entries.length < PAGE_ENTRIES) return;
    cursor = page.next_cursor;
  }
}

function cells({ number, at, actor, action, target, outcome }: AuditEntry): string[] {
  const who = [actor.name, ...(actor.agent === undefined ? [] : [`(${actor.agent})`])].join(' ');
  return [String(number), shortTime(at), who, action, target, outcome];
}

/** An export, line by line, however large it is. @throws UsageError */
async function* entriesOf(file: string): AsyncGenerator<AuditEntry> {
  const input = createReadStream(file);
  const unreadable = new Promise<never>((_resolve, reject) => {
    input.once('error', (error) => reject(new UsageError(`${file} cannot be read: ${error.message}`)));
  });
  unreadable.catch(() => undefined);
  const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]();
  for (let number = 1; ; number++) {
    const line = await Promise.race([lines.next(), unreadable]);
    if (line.done === true) return;
    if (line.value !== '') yield entryOf(line.value, `${file}:${number}`);
  }
}

/** @throws UsageError */
function entryOf(line: string, place: string): AuditEntry {
  try {
    const { number, hash, prev_hash } = JSON.parse(line) as Partial<Record<keyof AuditEntry, unknown>>;
    if (Number.isSafeInteger(number) && typeof hash === 'string' && typeof prev_hash === 'string') {
      return JSON.parse(line) as AuditEntry;
    }
  } catch {
    // Told below, as everything else that is no entry.
  }
  throw new UsageError(`${place} is not an entry of the audit trail`);
}

function sentence({ valid, entries, head, broken_at, fault }: ChainVerdict): string {
  if (valid) return `The audit trail is whole: ${entries} entries, the last one is ${head.number}:${head.hash}`;
  return `The audit trail is broken at entry ${broken_at ?? '?'}, which is ${fault ?? 'broken'}; ${entries} entries before it are in order`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
