/**
 * What all benches share: options, percentiles, one line of JSON at the end.
 *
 * @module
 */

/** The value of `--name value`; an empty text for a bare `--name`; undefined when it is not given. */
export function option(name: string): string | undefined {
  const place = process.argv.indexOf(`--${name}`);
  if (place < 0) return undefined;
  const value = process.argv[place + 1];
  return value === undefined || value.startsWith('--') ? '' : value;
}

/** @param share 0 to 1; the nearest rank, rounded to a tenth */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1));
  return Math.round(10 * (sorted[rank] ?? Number.NaN)) / 10;
}

export function report(result: Record<string, unknown>): void {
  if (option('json') === undefined) {
    for (const [name, value] of Object.entries(result))
      console.log(`${name.padEnd(16)} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`);
  } else console.log(JSON.stringify(result));
}
