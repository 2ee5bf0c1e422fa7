/** `flukedeploy flukebase`: how far FlukeBase has been told, whether it works, what it would not take, and history for it. */
import type { DeadLetterAnswer, FlukeBaseAnswer } from './answers.js';
import type { Api } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT, UsageError } from './failures.js';
import { administrator } from './login.command.js';
import type { PasswordOptions } from './password.js';
import { printable } from './printable.js';
import { shortTime, table, underBold } from './table.js';

export interface FlukeBaseCommandOptions extends PasswordOptions {
  readonly json?: boolean;
}

export interface ReplayOptions extends FlukeBaseCommandOptions {
  readonly all?: boolean;
}

export interface BackfillOptions extends FlukeBaseCommandOptions {
  readonly since: string;
  readonly until?: string;
  readonly cursor?: string;
}

const HEADS = ['DEAD LETTER', 'TIME', 'DEPLOYMENT', 'WHAT', 'WHY'];
const PAGE_LETTERS = 500;

export async function flukebase(context: CommandContext, options: FlukeBaseCommandOptions): Promise<number> {
  const { terminal } = context;
  const answer = await (await administrator(context, options)).flukebase();
  if (options.json) terminal.json(answer);
  else terminal.print(standingLines(answer));
  return EXIT.success;
}

/** The exit code is the verdict. */
export async function checkFlukeBase(context: CommandContext, options: FlukeBaseCommandOptions): Promise<number> {
  const { terminal } = context;
  const answer = await (await administrator(context, options)).checkFlukeBase();
  if (options.json) terminal.json(answer);
  else {
    const lines = answer.findings.map(({ ok, message }) => `${ok ? '✓' : '✗'} ${printable(message)}`);
    terminal.print([
      ...lines,
      answer.works ? 'FlukeBase works.' : 'FlukeBase does not work: deployments go on without it.',
    ]);
  }
  return answer.works ? EXIT.success : EXIT.failed;
}

export async function deadLetters(context: CommandContext, options: FlukeBaseCommandOptions): Promise<number> {
  const { terminal } = context;
  for await (const letters of pages(await administrator(context, options))) {
    if (options.json) for (const letter of letters) terminal.json(letter);
    else if (letters.length > 0) terminal.print(underBold(table(HEADS, letters.map(cells)), terminal.paint));
  }
  return EXIT.success;
}

export async function replay(context: CommandContext, ids: readonly string[], options: ReplayOptions): Promise<number> {
  if (ids.length === 0 && !options.all) throw new UsageError('Name the dead letters, or --all of them.');
  const api = await administrator(context, options);
  const replayed: string[] = [];
  for (const id of options.all ? await allIds(api) : ids) {
    await api.replayDeadLetter(id);
    replayed.push(id);
  }
  if (options.json) context.terminal.json({ replayed });
  else context.terminal.print([`${replayed.length} of the dead letters are sent again.`]);
  return EXIT.success;
}

export async function discard(
  context: CommandContext,
  ids: readonly string[],
  options: FlukeBaseCommandOptions,
): Promise<number> {
  const api = await administrator(context, options);
  for (const id of ids) await api.discardDeadLetter(id);
  if (options.json) context.terminal.json({ discarded: ids });
  else context.terminal.print([`${ids.length} of the dead letters are gone.`]);
  return EXIT.success;
}

/** What is queued once is not queued again, so it can be broken off and begun anew; `--cursor` only saves the way. */
export async function backfill(context: CommandContext, options: BackfillOptions): Promise<number> {
  const { terminal } = context;
  const { since, until = new Date().toISOString() } = options;
  const api = await administrator(context, options);
  let { cursor } = options;
  let deployments = 0;
  let queued = 0;
  do {
    const page = await api.backfillFlukeBase({ since, until, ...(cursor !== undefined && { cursor }) });
    deployments += page.deployments;
    queued += page.queued;
    cursor = page.next_cursor;
    if (cursor !== undefined)
      terminal.note(`${deployments} deployments so far; to go on from here: --cursor ${cursor}`);
  } while (cursor !== undefined);
  if (options.json) terminal.json({ deployments, queued });
  else
    terminal.print([
      `${queued} of ${deployments} deployments are queued; FlukeBase knows of the others, or soon will.`,
    ]);
  return EXIT.success;
}

async function* pages(api: Api): AsyncGenerator<readonly DeadLetterAnswer[]> {
  for (let before: string | undefined; ;) {
    const { dead_letters } = await api.deadLetters(PAGE_LETTERS, before);
    yield dead_letters;
    if (dead_letters.length < PAGE_LETTERS) return;
    before = dead_letters.at(-1)?.id;
  }
}

/** Before the first is touched: what is given up again meanwhile is not replayed for ever. */
async function allIds(api: Api): Promise<string[]> {
  const ids: string[] = [];
  for await (const letters of pages(api)) ids.push(...letters.map(({ id }) => id));
  return ids;
}

function standingLines({
  enabled,
  url,
  waiting,
  lag_seconds,
  dead,
  breaker,
  paused,
  last_error,
}: FlukeBaseAnswer): string[] {
  if (!enabled) return ['FlukeBase is not switched on: FLUKEBASE_API_TOKEN is not set.'];
  return [
    `FlukeBase   ${printable(url)}`,
    `Waiting     ${waiting} entries${waiting > 0 ? `, the oldest for ${Math.round(lag_seconds)} seconds` : ''}`,
    `Given up    ${dead}${dead > 0 ? ', see flukedeploy flukebase dead-letters' : ''}`,
    `Breaker     ${breaker.replace('_', ' ')}`,
    ...(paused === undefined ? [] : [`Paused      ${printable(paused)}`]),
    ...(last_error === undefined ? [] : [`Last error  ${printable(last_error)}`]),
  ];
}

function cells({ id, died_at, deployment_id, kind, first_sequence, last_sequence, error }: DeadLetterAnswer): string[] {
  const range = first_sequence === last_sequence ? `${first_sequence}` : `${first_sequence} to ${last_sequence}`;
  const what = { log: `entries ${range}`, deployment: 'its summary', task: 'its task' }[kind];
  return [id, shortTime(died_at), deployment_id, what, error];
}
