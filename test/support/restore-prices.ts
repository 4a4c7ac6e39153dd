/**
 * What restores cost in us-east-1 and us-east-2.
 *
 * @module
 */
import type { RestorePrices } from '../../workflows/restore/prices.ts';

/** As AWS's price lists had them in September 2026; the stand-in has the same. */
export const PRICES: RestorePrices = {
  region: 'us-east-1',
  retrieval: {
    GLACIER: {
      Expedited: { perRequest: 0.01, perGb: 0.03 },
      Standard: { perRequest: 0.00005, perGb: 0.01 },
      Bulk: { perRequest: 0, perGb: 0 },
    },
    DEEP_ARCHIVE: {
      Standard: { perRequest: 0.0001, perGb: 0.02 },
      Bulk: { perRequest: 0.000025, perGb: 0.0025 },
    },
    ARCHIVE_ACCESS: {
      Expedited: { perRequest: 0.01, perGb: 0.03 },
      Standard: { perRequest: 0, perGb: 0 },
      Bulk: { perRequest: 0, perGb: 0 },
    },
    DEEP_ARCHIVE_ACCESS: { Standard: { perRequest: 0, perGb: 0 }, Bulk: { perRequest: 0, perGb: 0 } },
  },
  copyPerGbMonth: 0.023,
  pricesAt: '2026-09-01T00:00:00Z',
};
