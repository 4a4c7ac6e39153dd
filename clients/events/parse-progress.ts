/**
 * Messages of the bus to reports. Whether the log takes them is the log's to say; here it is only told what is no report of
 * a run at all.
 *
 * @module
 */

import { BUS_DETAIL_TYPE, BUS_SOURCE } from '../../workflows/progress/model.ts';
import type { Batch } from '../../workflows/progress/outbox.ts';
import { isObject, text } from './json.ts';

/** @returns why it is no such message, or its reports */
export function parseProgress(body: string): Batch | { poison: string } {
  let message: unknown;
  try {
    message = JSON.parse(body);
  } catch {
    return { poison: 'not JSON' };
  }
  if (!isObject(message) || message.source !== BUS_SOURCE || message['detail-type'] !== BUS_DETAIL_TYPE)
    return { poison: `no event ${BUS_DETAIL_TYPE} of ${BUS_SOURCE}` };
  const { detail } = message;
  const run = text(detail, 'run');
  if (!isObject(detail) || run === undefined) return { poison: 'an event that names no run' };
  const { facts, reports } = detail;
  if (!isObject(facts) || text(facts, 'domain') === undefined) return { poison: 'an event without facts of its run' };
  if (!Array.isArray(reports) || !reports.every(isReport)) return { poison: 'an event without reports' };
  return { run, facts: facts as unknown as Batch['facts'], reports: reports as Batch['reports'] };
}

const isReport = (report: unknown): boolean =>
  isObject(report) &&
  typeof report.localSeq === 'number' &&
  isObject(report.source) &&
  typeof report.source.attempt === 'number';
