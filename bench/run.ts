/** Runs benchmarks one after the other, prints their tables and puts them into README.md: run.ts [--quick] [name…] */
import { readFile, writeFile } from 'node:fs/promises';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { agents } from './agents.bench.ts';
import { append } from './append.bench.ts';
import { deploy } from './deploy.bench.ts';
import { edge } from './edge.bench.ts';
import { fanOut } from './fan-out.bench.ts';
import { flukebase } from './flukebase.bench.ts';
import { phases } from './phases.bench.ts';
import { plugins } from './plugins.bench.ts';
import { query } from './query.bench.ts';
import { rollback } from './rollback.bench.ts';
import { start } from './start.bench.ts';
import { strategies } from './strategies.bench.ts';
import { markdown, type Benchmark } from './support/benchmark.ts';

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  deploy,
  strategies,
  rollback,
  edge,
  phases,
  plugins,
  flukebase,
  'fan-out': fanOut,
  query,
  append,
  agents,
  start,
};
const README = new URL('./README.md', import.meta.url);
const ROUNDS = 5;
const LIMIT_MS = 900_000;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { quick: { type: 'boolean' } } });
const quick = values.quick ?? false;
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
const stranger = names.find((name) => BENCHMARKS[name] === undefined);
if (stranger !== undefined) {
  console.error(`${stranger} is no benchmark; there are ${Object.keys(BENCHMARKS).join(', ')}`);
  process.exit(2);
}

let scope = new AsyncDisposableStack();
const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interruption.abort();
    void scope.disposeAsync().finally(() => process.exit(130));
  });
}

for (const name of names) {
  if (interruption.signal.aborted) break;
  scope = new AsyncDisposableStack();
  const began = performance.now();
  try {
    const run = BENCHMARKS[name]!(scope, { quick, rounds: quick ? 1 : ROUNDS });
    const text = (await within(LIMIT_MS, run)).map(markdown).join('\n\n');
    console.log(`\n## ${name}, in ${Math.round((performance.now() - began) / 1_000)} s\n\n${text}`);
    if (!quick) await publish(name, `${text}\n\n*${await circumstances()}*`);
  } catch (error) {
    console.error(`\n## ${name} failed`, error);
    process.exitCode = 1;
  } finally {
    await scope.disposeAsync();
  }
}

/** One that hangs must not keep the others from running, nor what it started from being stopped. */
async function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  const over = new AbortController();
  const limit = pause(ms, undefined, { signal: over.signal }).then(() => {
    throw new Error(`it took longer than ${ms / 1_000} s`);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    over.abort();
  }
}

/** Puts the text between the benchmark's markers. */
async function publish(name: string, text: string): Promise<void> {
  const [begin, end] = [`<!-- measured: ${name} -->`, `<!-- end: ${name} -->`];
  const page = await readFile(README, 'utf8');
  const [before, rest] = page.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`README.md has no place for ${name}`);
  await writeFile(README, `${before}${begin}\n${text}\n${end}${after}`);
}

async function circumstances(): Promise<string> {
  const processors = cpus();
  const engine = (await new Docker().version()).Version;
  return [
    new Date().toISOString().slice(0, 10),
    `${processors.length} × ${processors[0]?.model.trim() ?? arch()}`,
    `${Math.round(totalmem() / 2 ** 30)} GB`,
    `${type()} ${release().split('.').slice(0, 2).join('.')}`,
    `Node ${process.versions.node}`,
    `Docker ${engine}`,
    `${ROUNDS} rounds`,
  ].join(', ');
}
