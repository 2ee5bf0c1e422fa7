/** Waits for a condition to become true. */
import { until } from './until.js';

export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  await until(async () => condition(), String(condition));
}
