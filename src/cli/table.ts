/** Columns of text under their heads. */
import { printable } from './printable.js';
import type { Paint } from './terminal.js';

/** A line for the heads and one for each row; cells hold text of others, which is made printable here. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => printable(cell).replaceAll('\n', ' ')));
  const widths = heads.map((head, column) => Math.max(head.length, ...cells.map((row) => row[column]?.length ?? 0)));
  return [heads, ...cells].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

export function underBold([heads = '', ...rows]: readonly string[], paint: Paint): string[] {
  return [paint('bold', heads), ...rows];
}

/** `2026-02-03 10:00:00` */
export function shortTime(iso: string): string {
  return iso.replace('T', ' ').replace(/\..*$/, '');
}
