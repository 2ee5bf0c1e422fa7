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

export interface Table {
  readonly title: string;
  /** What stands in the column of the baseline. */
  readonly baseline: string;
  readonly measures: readonly Measure[];
}

/** Markdown. Each cell is the median with the least and the greatest round; ratios are taken round by round. */
export function markdown({ title, baseline, measures }: Table): string {
  const rows = measures.map(({ what, unit, ours, raw }) => [
    unit === '/s' ? `${what}, per second` : `${what}, ${unit}`,
    spread(ours),
    raw ? spread(raw) : '–',
    raw ? spread(ours.map((value, round) => value / (raw[round] ?? NaN))) : '–',
  ]);
  const lines = [['', 'FlukeDeploy', baseline, 'ratio'], ['---', '---:', '---:', '---:'], ...rows];
  return [`**${title}**`, '', ...lines.map((cells) => `| ${cells.join(' | ')} |`)].join('\n');
}

/** The value below which `share` (0 to 1) of the values lie, by the nearest rank. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

function spread(values: readonly number[]): string {
  const [least, median, greatest] = [0, 0.5, 1].map((share) => rounded(quantile(values, share)));
  return values.length > 1 ? `${median} (${least}–${greatest})` : String(median);
}

/** Three digits: what lies behind them is noise. */
function rounded(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en', { maximumFractionDigits: 3 });
}

/** Milliseconds of a clock that all processes of this machine share. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
