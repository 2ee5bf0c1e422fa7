/** What a benchmark is to the runner, and how its figures become a table: medians over rounds, beside the raw baseline's. */

/** Gets a scope in which it leaves what must be undone, and how much to do; answers what it measured. */
export type Benchmark = (scope: AsyncDisposableStack, effort: Effort) => Promise<readonly Table[]>;

export interface Effort {
  /** A trial: everything is run once and little of it, and the figures are worth nothing. */
  readonly quick: boolean;
  readonly rounds: number;
}

/** One line of a table: a figure of every round. The baseline's, where there is one, come from the same rounds. */
export interface Measure {
  readonly what: string;
  readonly unit: 'ms' | 's' | '/s' | 'MB';
  readonly ours: readonly number[];
  readonly raw?: readonly number[];
}

/** The first column says what was measured, all others are figures. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Figures of ours beside those of `baseline`. */
export function comparison(title: string, baseline: string, measures: readonly Measure[]): Table {
  const rows = measures.map(({ what, unit, ours, raw }) => [
    unit === '/s' ? `${what}, per second` : `${what}, ${unit}`,
    spread(ours),
    raw ? spread(raw) : '–',
    raw ? ratio(ours, raw) : '–',
  ]);
  return { title, columns: ['', 'FlukeDeploy', baseline, 'ratio'], rows };
}

export function markdown({ title, columns, rows }: Table): string {
  const rule = columns.map((_, index) => (index === 0 ? '---' : '---:'));
  return [`**${title}**`, '', ...[columns, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
}

/** The value below which `share` (0 to 1) of the values lie, by the nearest rank. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** The median with the least and the greatest of all rounds. */
export function spread(values: readonly number[]): string {
  const [least, median, greatest] = [0, 0.5, 1].map((share) => rounded(quantile(values, share)));
  return values.length > 1 ? `${median} (${least}–${greatest})` : String(median);
}

/** Taken round by round, so that what disturbed both in one round does not count. */
export function ratio(ours: readonly number[], raw: readonly number[]): string {
  return spread(ours.map((value, round) => value / (raw[round] ?? NaN)));
}

/** Three digits: what lies behind them is noise. */
function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 });
}

/** Milliseconds of a clock that all processes of this machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
