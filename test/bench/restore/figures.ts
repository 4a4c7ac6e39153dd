/** @module Small arithmetic of the restore benches. */

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** To a hundredth. */
export const round = (value: number): number => Math.round(value * 100) / 100;
