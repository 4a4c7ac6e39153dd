/**
 * Where the price lists of all Regions can be asked for. Depends on nothing.
 *
 * @module
 */

/** The Price List API is in these only; each has every Region's prices but China's, which cn-northwest-1 has. */
const ENDPOINTS = ['us-east-1', 'eu-central-1', 'ap-south-1'];

/** The nearest endpoint, by geography. */
export function priceListRegion(region: string): string {
  if (ENDPOINTS.includes(region)) return region;
  if (region.startsWith('cn-')) return 'cn-northwest-1';
  if (region.startsWith('eu-')) return 'eu-central-1';
  if (region.startsWith('ap-')) return 'ap-south-1';
  return 'us-east-1';
}
