/**
 * Quantities of resources: `2`, `500m`, `512Mi`, `1G`.
 *
 * @module
 */
const UNITS: Readonly<Record<string, number>> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** @returns undefined for a text that is no quantity */
export function parseQuantity(text: string): number | undefined {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([mkMGT]|[KMGT]i)?$/.exec(text) ?? [];
  return number === '' ? undefined : Number(number) * (UNITS[unit] ?? 1);
}
