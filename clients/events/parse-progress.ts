/**
 * Messages of the bus to reports.
 *
 * @module
 */
import { type Batch, BUS_DETAIL_TYPE, BUS_SOURCE, readDetail } from '../../lib/progress/bus.ts';
import { isObject } from './json.ts';

/** @returns why it is no message of progress that can be used, or what it says */
export function parseProgress(body: string): Batch | { poison: string } {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return { poison: 'not JSON' };
  }
  if (!isObject(message) || message.source !== BUS_SOURCE || message['detail-type'] !== BUS_DETAIL_TYPE)
    return { poison: `no event "${BUS_DETAIL_TYPE}" of ${BUS_SOURCE}` };
  try {
    return readDetail(message.detail);
  } catch (error) {
    return { poison: (error as Error).message };
  }
}
